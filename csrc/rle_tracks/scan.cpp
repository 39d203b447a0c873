// See scan.h.
#include "scan.h"

#include <cmath>
#include <limits>
#include <string_view>

#include "json.h"

namespace vis::tracks {

namespace {

using json::Fields;
using json::Reader;
using rle::MaskRow;

constexpr double kExact = 9007199254740992.0;  // 2^53: sums of integers below it have no rounding

void read_size(Reader& reader, MaskRow& row) {
  int64_t sides[2], count = 0;
  reader.list([&] {
    reader.require(count < 2);
    sides[count++] = reader.length();
  });
  reader.require(count == 2 && (sides[1] == 0 || sides[0] <= rle::kMaxPixels / sides[1]));
  row.height = sides[0], row.width = sides[1];
}

MaskRow read_mask(Reader& reader) {
  MaskRow row{};
  const uint8_t next = reader.peek();
  if (next == 'n') {
    reader.require(reader.take_word("null"));
    return row;
  }
  if (next == '[') {  // an empty list is an absent mask, any other one polygons
    reader.expect('[');
    reader.expect(']');
    return row;
  }
  Fields fields(reader);
  bool empty = true;
  reader.object([&](std::string_view key) {
    empty = false;
    if (key == "size") {
      fields.enter(0);
      read_size(reader, row);
    } else if (key == "counts") {
      fields.enter(1);
      const bool text = reader.peek() == '"';
      const json::Span span = text ? reader.raw_string() : reader.raw_list();
      row.notation = text ? rle::kJsonText : rle::kJsonList;
      row.begin = span.begin, row.end = span.end;
    } else {
      reader.skip_value();
    }
  });
  reader.require(empty || (fields.has(0) && fields.has(1)));
  return row;
}

// Masks of a track -> number of frames.
int64_t read_masks(Reader& reader, std::vector<MaskRow>& masks) {
  const size_t first = masks.size();
  reader.list([&] { masks.push_back(read_mask(reader)); });
  return static_cast<int64_t>(masks.size() - first);
}

// Mean of the entries that are neither null nor 0, 0 without any.
double read_mean_area(Reader& reader) {
  double sum = 0, largest = 0;
  int64_t count = 0;
  reader.list([&] {
    if (reader.take_word("null")) return;
    const json::Number area = reader.number();
    largest += std::abs(area.value);
    reader.require(area.integral && largest < kExact);
    sum += area.value;
    count += area.value != 0;
  });
  return count ? sum / static_cast<double>(count) : 0.0;
}

bool read_flag(Reader& reader) {
  if (reader.take_word("true")) return true;
  if (reader.take_word("false") || reader.take_word("null")) return false;
  return reader.integer() != 0;
}

VideoRow read_video(Reader& reader) {
  enum { kId, kHeight, kWidth, kLength, kNames };
  VideoRow row{};
  int64_t names = 0;
  Fields fields(reader);
  reader.object([&](std::string_view key) {
    if (key == "id") {
      fields.enter(kId);
      row.id = reader.integer();
    } else if (key == "height") {
      fields.enter(kHeight);
      row.height = reader.length();
    } else if (key == "width") {
      fields.enter(kWidth);
      row.width = reader.length();
    } else if (key == "length") {
      fields.enter(kLength);
      row.length = reader.integer();
    } else if (key == "file_names") {
      fields.enter(kNames);
      if (reader.take_word("null")) return;
      reader.list([&] {
        reader.skip_value();
        ++names;
      });
    } else {
      reader.skip_value();
    }
  });
  reader.require(fields.has(kId) && fields.has(kHeight) && fields.has(kWidth));
  if (!fields.has(kLength)) row.length = names;
  return row;
}

CategoryRow read_category(Reader& reader) {
  CategoryRow row{0, -1, -1};
  Fields fields(reader);
  reader.object([&](std::string_view key) {
    if (key == "id") {
      fields.enter(0);
      row.id = reader.integer();
    } else if (key == "name") {
      fields.enter(1);
      const json::Span name = reader.string_token();
      row.name_begin = name.begin, row.name_end = name.end;
    } else {
      reader.skip_value();
    }
  });
  reader.require(fields.has(0));
  return row;
}

void read_annotation(Reader& reader, Truth& truth) {
  enum { kId, kVideo, kCategory, kMasks, kCrowd, kAreas };
  TruthRow row{};
  double mean_area = std::numeric_limits<double>::quiet_NaN();
  Fields fields(reader);
  reader.object([&](std::string_view key) {
    if (key == "id") {
      fields.enter(kId);
      row.id = reader.integer();
    } else if (key == "video_id") {
      fields.enter(kVideo);
      row.video = reader.integer();
    } else if (key == "category_id") {
      fields.enter(kCategory);
      row.category = reader.integer();
    } else if (key == "segmentations") {
      fields.enter(kMasks);
      row.first_mask = static_cast<int64_t>(truth.masks.size());
      row.frames = read_masks(reader, truth.masks);
    } else if (key == "iscrowd") {
      fields.enter(kCrowd);
      row.crowd = read_flag(reader);
    } else if (key == "areas") {
      fields.enter(kAreas);
      if (!reader.take_word("null")) mean_area = read_mean_area(reader);
    } else {
      reader.skip_value();
    }
  });
  reader.require(fields.has(kId) && fields.has(kVideo) && fields.has(kCategory) && fields.has(kMasks));
  truth.tracks.push_back(row);
  truth.mean_areas.push_back(mean_area);
}

void read_result(Reader& reader, Results& results) {
  enum { kVideo, kCategory, kScore, kMasks };
  ResultRow row{};
  double score = 0;
  Fields fields(reader);
  reader.object([&](std::string_view key) {
    if (key == "video_id") {
      fields.enter(kVideo);
      row.video = reader.integer();
    } else if (key == "category_id") {
      fields.enter(kCategory);
      row.category = reader.integer();
    } else if (key == "score") {
      fields.enter(kScore);
      score = reader.number().value;
    } else if (key == "segmentations") {
      fields.enter(kMasks);
      row.first_mask = static_cast<int64_t>(results.masks.size());
      row.frames = read_masks(reader, results.masks);
    } else {
      reader.skip_value();
    }
  });
  reader.require(fields.has(kVideo) && fields.has(kCategory) && fields.has(kScore) && fields.has(kMasks));
  results.tracks.push_back(row);
  results.scores.push_back(score);
}

}  // namespace

Truth scan_truth(const uint8_t* data, int64_t size) {
  enum { kVideos, kCategories, kAnnotations };
  Reader reader(data, size);
  Truth truth;
  Fields fields(reader);
  reader.object([&](std::string_view key) {
    if (key == "videos") {
      fields.enter(kVideos);
      reader.list([&] { truth.videos.push_back(read_video(reader)); });
    } else if (key == "categories") {
      fields.enter(kCategories);
      reader.list([&] { truth.categories.push_back(read_category(reader)); });
    } else if (key == "annotations") {
      fields.enter(kAnnotations);
      reader.list([&] { read_annotation(reader, truth); });
    } else {
      reader.skip_value();
    }
  });
  reader.expect_end();
  reader.require(fields.has(kVideos) && fields.has(kCategories) && fields.has(kAnnotations));
  return truth;
}

Results scan_results(const uint8_t* data, int64_t size) {
  Reader reader(data, size);
  Results results;
  reader.list([&] { read_result(reader, results); });
  reader.expect_end();
  return results;
}

}  // namespace vis::tracks
