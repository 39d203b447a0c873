// See overlap.h.
#include "overlap.h"

#include <algorithm>

namespace vis::tracks {

CellWorker::CellWorker(const Side& detections, const Side& truths)
    : detections_(detections),
      truths_(truths),
      d_reader_(detections.buffer, detections.buffer_size),
      g_reader_(truths.buffer, truths.buffer_size),
      kernels_(VIS_KERNELS(vis::rle, kernels)()) {}

bool CellWorker::start(const Side& side, int64_t begin, int64_t end, std::vector<Track>& tracks, int64_t& frames) {
  if (begin < 0 || end < begin || end > side.track_count) return false;
  if (tracks.size() < static_cast<size_t>(end - begin)) tracks.resize(end - begin);
  frames = 0;
  for (int64_t k = begin; k < end; ++k) {
    const TrackRow row = side.tracks[k];
    if (row.first_mask < 0 || row.frames < 0 || row.frames > side.mask_count - row.first_mask) return false;
    tracks[k - begin].row = row;
    tracks[k - begin].areas_before.assign(row.frames + 1, 0);
    frames = std::max(frames, row.frames);
  }
  return true;
}

bool CellWorker::enter(rle::MaskReader& reader, const rle::MaskRow& row, rle::Mask& mask, int64_t& area) {
  if (!reader.read(row, mask) || mask.empty_run) return false;
  area = mask.area();
  return true;
}

bool CellWorker::run_frame(int64_t t, int64_t d_count, int64_t g_count) {
  for (int64_t g = 0; g < g_count; ++g) {
    Track& track = g_tracks_[g];
    g_areas_[g] = -1;  // absent
    if (t >= track.row.frames) continue;
    const rle::MaskRow& row = truths_.masks[track.row.first_mask + t];
    if (row.present() && !enter(g_reader_, row, g_masks_[g], g_areas_[g])) return false;
    track.areas_before[t + 1] = track.areas_before[t] + std::max<int64_t>(g_areas_[g], 0);
  }
  for (int64_t d = 0; d < d_count; ++d) {
    Track& track = d_tracks_[d];
    if (t >= track.row.frames) continue;
    const rle::MaskRow& row = detections_.masks[track.row.first_mask + t];
    int64_t area = 0;
    if (row.present()) {
      if (!enter(d_reader_, row, d_mask_, area)) return false;
      for (int64_t g = 0; g < g_count; ++g) {
        if (g_areas_[g] < 0) continue;
        const int64_t pair = d * g_count + g;
        if (!row.same_size(truths_.masks[g_tracks_[g].row.first_mask + t])) {
          excluded_[pair] += area + g_areas_[g];
        } else if (area > 0 && g_areas_[g] > 0) {
          const rle::Mask& other = g_masks_[g];
          common_[pair] += kernels_.common_pixels(d_mask_.ends.data(), d_mask_.runs, other.ends.data(), other.runs);
        }
      }
    }
    track.areas_before[t + 1] = track.areas_before[t] + area;
  }
  return true;
}

bool CellWorker::run(const Cell& cell, double* ious, TrackArea* d_areas, TrackArea* g_areas) {
  int64_t d_frames = 0, g_frames = 0;
  if (!start(detections_, cell.d_begin, cell.d_end, d_tracks_, d_frames)) return false;
  if (!start(truths_, cell.g_begin, cell.g_end, g_tracks_, g_frames)) return false;
  const int64_t d_count = cell.d_end - cell.d_begin, g_count = cell.g_end - cell.g_begin;
  if (g_masks_.size() < static_cast<size_t>(g_count)) g_masks_.resize(g_count);
  g_areas_.resize(g_count);
  common_.assign(d_count * g_count, 0);
  excluded_.assign(d_count * g_count, 0);
  for (int64_t t = 0; t < std::max(d_frames, g_frames); ++t) {
    if (!run_frame(t, d_count, g_count)) return false;
  }
  const auto total = [](const Track& track) {
    TrackArea area{track.areas_before.back(), 0};
    for (size_t t = 1; t < track.areas_before.size(); ++t) {
      area.frames += track.areas_before[t] > track.areas_before[t - 1];
    }
    return area;
  };
  for (int64_t d = 0; d < d_count; ++d) d_areas[cell.d_begin + d] = total(d_tracks_[d]);
  for (int64_t g = 0; g < g_count; ++g) g_areas[cell.g_begin + g] = total(g_tracks_[g]);
  for (int64_t pair = 0; pair < d_count * g_count; ++pair) {
    const Track &d = d_tracks_[pair / g_count], &g = g_tracks_[pair % g_count];
    const int64_t frames = std::min(d.row.frames, g.row.frames);  // frames that only one list has do not count
    const int64_t either = d.areas_before[frames] + g.areas_before[frames] - excluded_[pair] - common_[pair];
    ious[cell.first_pair + pair] =
        either > 0 ? static_cast<double>(common_[pair]) / static_cast<double>(either) : 0.0;
  }
  return true;
}

}  // namespace vis::tracks
