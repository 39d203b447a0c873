// CPU kernels of the depth-wise cross-correlation: planes are copied into working memory where they need a border, and
// the tiles of correlate.h and filter_gradient.h do the sums.
//
// The gradient of a search map is the correlation of the gradient of the output, with a border of zeros, with the
// template turned by 180 degrees, summed over the templates of that map.
#include "kernel.h"

#include "common/scratch.h"
#include "common/vec.h"
#include "correlate.h"
#include "filter_gradient.h"

namespace vis::xcorr {

namespace {

// A plane in working memory: `height` rows with room for whole vectors wherever a kernel reads or writes them.
template <class T>
struct Buffer {
  T* data;
  int64_t height, stride;

  Buffer(int slot, int64_t rows, int64_t row_stride)
      : data(static_cast<T*>(scratch(sizeof(T) * rows * row_stride, slot))), height(rows), stride(row_stride) {}
  void clear() { std::memset(data, 0, sizeof(T) * height * stride); }
};

// Copies n values; rows are short, and a call of memcpy for each costs as much as the copy.
template <class T>
VIS_INLINE void copy_row(const T* from, T* to, int64_t n) {
  if (n < kLanes<T>) {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i];
    return;
  }
  for (int64_t i = 0; i < n - kLanes<T>; i += kLanes<T>) store<T>(to + i, load<T>(from + i));
  store<T>(to + n - kLanes<T>, load<T>(from + n - kLanes<T>));
}

// Copies a height x width plane so that its corner comes to (top, left), which may be negative; what falls outside the
// `height_to` x `width_to` part of `to` is left out.
template <class T>
void place(const T* from, int64_t height, int64_t width, T* to, int64_t stride, int64_t height_to, int64_t width_to,
           int64_t top, int64_t left) {
  const int64_t y0 = top < 0 ? -top : 0, y1 = at_most(height, height_to - top);
  const int64_t x0 = left < 0 ? -left : 0, x1 = at_most(width, width_to - left);
  if (x1 <= x0) return;
  for (int64_t y = y0; y < y1; ++y)
    copy_row(from + y * width + x0, to + (y + top) * stride + left + x0, x1 - x0);
}

// The height x width part of `from` without the room behind its rows.
template <class T>
void take(const Buffer<T>& from, T* to, int64_t height, int64_t width) {
  for (int64_t y = 0; y < height; ++y) copy_row(from.data + y * from.stride, to + y * width, width);
}

template <class T>
void forward(const ForwardArgs<T>& args, int64_t begin, int64_t end) {
  const Sizes& z = args.sizes;
  const int64_t height = z.out_height(), width = z.out_width(), taps = z.rows * z.columns;
  const bool one_chunk = z.rows <= 7 && z.rows % 2 == 1;
  // Vectors then lie within the rows of the tensors themselves, the last one overlapping the one before.
  const bool into_output = one_chunk && width >= kLanes<T>;
  const bool from_search = into_output && z.padding == 0;
  const int64_t vectors = parts_of(width, kLanes<T>), whole_width = vectors * kLanes<T>;
  const int64_t in_height = from_search ? 0 : z.height + 2 * z.padding;
  Buffer<T> in(0, in_height, whole_width + z.columns - 1), out(1, into_output ? 0 : height, whole_width);
  T* weights = static_cast<T*>(scratch(sizeof(T) * taps, 2));
  if (!from_search) in.clear();
  for (int64_t job = begin; job < end; ++job) {
    int64_t channel, map;
    job_place(z, args.groups, job, channel, map);
    const T* search = args.search + (map * z.channels + channel) * z.height * z.width;
    if (args.groups.begin[map] == args.groups.begin[map + 1]) continue;
    if (!from_search)
      place(search, z.height, z.width, in.data, in.stride, in.height, in.stride, z.padding, z.padding);
    for (int64_t i = args.groups.begin[map]; i < args.groups.begin[map + 1]; ++i) {
      const int64_t target = args.groups.order[i] * z.channels + channel;
      T* result = args.out + target * height * width;
      arrange_weights(args.filter + target * taps, z.rows, z.columns, false, weights);
      const Plane<T> plane{from_search ? search : in.data, from_search ? z.width : in.stride,
                           into_output ? result : out.data, into_output ? width : out.stride, height, vectors,
                           (into_output ? width : whole_width) - kLanes<T>};
      correlate_plane(plane, weights, z.rows, z.columns, false);
      if (!into_output) take(out, result, height, width);
    }
  }
}

// Layout of the backward pass. The gradient of the output comes to (top, left) of a plane of zeros as large as a search
// map with its neighbours; where the padding is wide, top or left is negative and the outputs that fall off saw nothing
// but padding.
template <class T>
struct BackwardLayout {
  int64_t top, left;
  int64_t y0, x0;          // first output row and column that is kept
  int64_t height, width;   // of the kept outputs
  int64_t bordered_height, bordered_stride;
  int64_t padded_height, padded_stride;
  int64_t map_vectors, out_vectors;

  explicit BackwardLayout(const Sizes& z) : top(z.rows - 1 - z.padding), left(z.columns - 1 - z.padding) {
    y0 = at_least(-top, 0);
    x0 = at_least(-left, 0);
    bordered_height = z.height + z.rows - 1;
    height = at_most(z.out_height(), bordered_height - top) - y0;
    width = at_most(z.out_width(), z.width + z.columns - 1 - left) - x0;
    map_vectors = parts_of(z.width, kLanes<T>);
    out_vectors = parts_of(width, kLanes<T>);
    bordered_stride = at_least(map_vectors * kLanes<T> + z.columns - 1, left + x0 + out_vectors * kLanes<T>);
    padded_height = z.height + 2 * z.padding;
    padded_stride = at_least(z.width + 2 * z.padding, x0 + out_vectors * kLanes<T> + z.columns - 1);
  }
};

template <class T>
void backward(const BackwardArgs<T>& args, int64_t begin, int64_t end) {
  const Sizes& z = args.sizes;
  const BackwardLayout<T> layout(z);
  const int64_t taps = z.rows * z.columns, map_size = z.height * z.width, out_size = z.out_height() * z.out_width();
  constexpr int64_t margin = kBlockRows - 1;
  Buffer<T> bordered(0, layout.bordered_height + 2 * margin, layout.bordered_stride);
  Buffer<T> padded(1, args.filter_grad ? layout.padded_height : 0, layout.padded_stride);
  Buffer<T> sums(2, args.search_grad ? z.height : 0, layout.map_vectors * kLanes<T>);
  T* weights = static_cast<T*>(scratch(sizeof(T) * taps, 3));
  T* corner = bordered.data + margin * bordered.stride;
  bordered.clear();
  padded.clear();
  const GradientPair<T> pair{corner + (layout.top + layout.y0) * bordered.stride + layout.left + layout.x0,
                             bordered.stride, padded.data + layout.y0 * padded.stride + layout.x0, padded.stride,
                             layout.height, layout.out_vectors};
  const Plane<T> plane{corner, bordered.stride, sums.data, sums.stride, z.height, layout.map_vectors,
                       (layout.map_vectors - 1) * kLanes<T>};
  for (int64_t job = begin; job < end; ++job) {
    int64_t channel, map;
    job_place(z, args.groups, job, channel, map);
    const int64_t source = map * z.channels + channel;
    const int64_t first = args.groups.begin[map], last = args.groups.begin[map + 1];
    if (args.filter_grad && first < last)
      place(args.search + source * map_size, z.height, z.width, padded.data, padded.stride, padded.height,
            padded.stride, z.padding, z.padding);
    if (args.search_grad && first == last) sums.clear();
    for (int64_t i = first; i < last; ++i) {
      const int64_t target = args.groups.order[i] * z.channels + channel;
      place(args.grad + target * out_size, z.out_height(), z.out_width(), corner, bordered.stride,
            layout.bordered_height, z.width + z.columns - 1, layout.top, layout.left);
      if (args.filter_grad) filter_gradient(pair, z.rows, z.columns, args.filter_grad + target * taps);
      if (args.search_grad) {
        arrange_weights(args.filter + target * taps, z.rows, z.columns, true, weights);
        correlate_plane(plane, weights, z.rows, z.columns, i > first);
      }
    }
    if (args.search_grad) take(sums, args.search_grad + source * map_size, z.height, z.width);
  }
}

}  // namespace

const Kernels& VIS_LEVELLED(kernels)() {
  static constexpr Kernels table{forward<float>, forward<double>, backward<float>, backward<double>};
  return table;
}

}  // namespace vis::xcorr
