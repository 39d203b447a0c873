// The one CUDA kernel of the attention, for all passes, and the one that adds up its splits.
//
// Every pass has the same shape: a block owns a tile of positions of one side and walks tiles of the other side. For
// each it makes the logits of the two tiles, turns them into weights W (the passes differ here), and adds X W to its
// sums, X being channels of the other side:
//   forward      own queries  W = exp(logit - largest so far)      X = values
//   query grad   own queries  W = P (dP - D)                       X = keys
//   key grad     own keys     W = P (dP - D)                       X = queries
//   value grad   own keys     W = P                                X = gradient of the output
// with P = exp(logit - log_sum), dP = value . gradient of the output, D the products of `products_cuda`. The sums of the
// splits go to a workspace, where `finish` adds them up in their order: nothing is added by several blocks at once.
#pragma once

#include "device.cuh"

namespace vis::attention {

template <class T, int Size>
__device__ Sum<T> element(const Planes<const T>& planes, const Positions<Size>& positions, int n, int64_t channel,
                          int64_t channels) {
  if (positions.map[n] < 0 || channel >= channels) return 0;
  return widen(planes.data[positions.map[n] * planes.map_stride + channel * planes.channel_stride + positions.at[n]]);
}

// dot[i][j]: of other position kRows * y + i and own position kRows * x + j, over all channels.
template <class T, class S>
__device__ void dot_products(Shared<S>& shared, const Planes<const T>& own, const Planes<const T>& other,
                             int64_t channels, S (&dot)[kRows<S>][kRows<S>]) {
  constexpr int R = kRows<S>, kTile = kTileSize<S>;
  const int x = threadIdx.x % kSide, y = threadIdx.x / kSide;
  S *own_slab = shared.slab, *other_slab = shared.slab + kDepth * kTile;
#pragma unroll
  for (int i = 0; i < R; ++i)
#pragma unroll
    for (int j = 0; j < R; ++j) dot[i][j] = 0;
  for (int64_t c0 = 0; c0 < channels; c0 += kDepth) {
    __syncthreads();
    for (int i = threadIdx.x; i < kDepth * kTile; i += kThreads) {
      own_slab[i] = element(own, shared.own, i % kTile, c0 + i / kTile, channels);
      other_slab[i] = element(other, shared.other, i % kTile, c0 + i / kTile, channels);
    }
    __syncthreads();
#pragma unroll
    for (int c = 0; c < kDepth; ++c) {
      S a[R], b[R];
#pragma unroll
      for (int j = 0; j < R; ++j) a[j] = own_slab[c * kTile + x * R + j];
#pragma unroll
      for (int i = 0; i < R; ++i) b[i] = other_slab[c * kTile + y * R + i];
#pragma unroll
      for (int i = 0; i < R; ++i)
#pragma unroll
        for (int j = 0; j < R; ++j) dot[i][j] += b[i] * a[j];
    }
  }
}

// sum[n][i][j] += sum over other positions of X[channel][other] * W[other][own], for own position kRows * x + j and
// channel first_channel + kTile * n + kRows * y + i.
template <class T, class S, int N>
__device__ void add_weighted(Shared<S>& shared, const Planes<const T>& planes, int64_t first_channel, int64_t channels,
                             S (&sum)[N][kRows<S>][kRows<S>]) {
  constexpr int R = kRows<S>, kTile = kTileSize<S>, kRow = kDepth + 1;  // the odd row spreads channels over the banks
  static_assert(kTile * kRow <= 2 * kDepth * kTile, "X lies in the slab");
  const int x = threadIdx.x % kSide, y = threadIdx.x / kSide;
#pragma unroll
  for (int n = 0; n < N; ++n) {
    const int64_t c0 = first_channel + n * kTile;
    if (c0 >= channels) break;
    for (int k0 = 0; k0 < kTile; k0 += kDepth) {
      __syncthreads();
      for (int i = threadIdx.x; i < kDepth * kTile; i += kThreads)
        shared.slab[i / kDepth * kRow + i % kDepth] =
            element(planes, shared.other, k0 + i % kDepth, c0 + i / kDepth, channels);
      __syncthreads();
#pragma unroll
      for (int k = 0; k < kDepth; ++k) {
        S a[R], b[R];
#pragma unroll
        for (int j = 0; j < R; ++j) a[j] = shared.weights[(k0 + k) * kTile + x * R + j];
#pragma unroll
        for (int i = 0; i < R; ++i) b[i] = shared.slab[(y * R + i) * kRow + k];
#pragma unroll
        for (int i = 0; i < R; ++i)
#pragma unroll
          for (int j = 0; j < R; ++j) sum[n][i][j] += b[i] * a[j];
      }
    }
  }
}

// Logits in shared.weights -> weights for the largest logit so far, of which shared keeps peak and total; shared.shrink
// brings earlier sums to the new peak.
template <class S>
__device__ void weigh_forward(Shared<S>& shared) {
  constexpr int kTile = kTileSize<S>, rows = kTile / kGroups<S>;
  const int q = threadIdx.x % kTile, group = threadIdx.x / kTile;
  S* column = shared.weights + group * rows * kTile + q;
  S peak = -INFINITY;
  for (int k = 0; k < rows; ++k) peak = fmax(peak, column[k * kTile]);
  shared.largest[group * kTile + q] = peak;
  __syncthreads();
  const S before = shared.peak[q];
  peak = before;
  for (int g = 0; g < kGroups<S>; ++g) peak = fmax(peak, shared.largest[g * kTile + q]);
  S total = 0;
  for (int k = 0; k < rows; ++k) {
    const S weight = exp2(column[k * kTile] - peak);
    column[k * kTile] = weight;
    total += weight;
  }
  shared.added[group * kTile + q] = total;
  __syncthreads();  // all have read the peak before
  if (group == 0) {
    const S shrink = exp2(before - peak);
    S sum = shared.total[q] * shrink;
    for (int g = 0; g < kGroups<S>; ++g) sum += shared.added[g * kTile + q];
    shared.peak[q] = peak;
    shared.total[q] = sum;
    shared.shrink[q] = shrink;
  }
  __syncthreads();
}

// log_sum and product of the queries of a tile; 0 where there is none.
template <class T, class S, int Size>
__device__ void load_statistics(Shared<S>& shared, const KernelArgs<T>& args, const Positions<Size>& queries) {
  if (threadIdx.x >= Size) return;
  const int n = threadIdx.x;
  const bool inside = queries.map[n] >= 0;
  const int64_t at = inside ? queries.map[n] * args.sizes.pixels() + queries.at[n] : 0;
  shared.log_sum[n] = inside ? args.log_sum[at] : S(0);
  shared.product[n] = inside && args.products != nullptr ? args.products[at] : S(0);
}

template <class T>
__device__ Planes<const T> of_set(Planes<const T> planes, int64_t set) {
  planes.data += set * planes.set_stride;
  return planes;
}

// The key set of a query map; stops the kernel where an index is outside of the sets.
template <class T>
__device__ int64_t set_of(const KernelArgs<T>& args, int64_t map) {
  if (args.image_index == nullptr) return args.sizes.sets == 1 ? 0 : map;
  const int64_t set = args.image_index[map];
  if (set < 0 || set >= args.sizes.sets) __trap();
  return set;
}

template <Pass P, class T, int N>
__global__ void __launch_bounds__(kThreads) attend(const KernelArgs<T> args) {
  using S = Sum<T>;
  constexpr int R = kRows<S>, kTile = kTileSize<S>;
  constexpr bool own_queries = P == Pass::kForward || P == Pass::kQueryGrad;
  constexpr bool with_logit_grad = P == Pass::kQueryGrad || P == Pass::kKeyGrad;
  __shared__ Shared<S> shared;
  const Sizes& z = args.sizes;
  const Plan& plan = args.plan;
  const int x = threadIdx.x % kSide, y = threadIdx.x / kSide;
  const int64_t problem = blockIdx.x / plan.own_tiles, own_first = blockIdx.x % plan.own_tiles * kTile;
  const int64_t first_channel = static_cast<int64_t>(blockIdx.y) * N * kTile;
  const int64_t set = own_queries ? set_of(args, problem) : problem;
  const Planes<const T> key = of_set(args.key, set), value = of_set(args.value, set);

  // The other side comes in stretches: the keys, or all queries in a row, or one query map after the other.
  const bool by_map = !own_queries && !plan.folded;
  const int64_t inner = own_queries ? z.places() : z.pixels();
  const int64_t count = own_queries ? z.keys() : by_map ? z.pixels() : z.maps * z.pixels();
  const int64_t tiles = (count + kTile - 1) / kTile;  // of a stretch
  const int64_t first_stretch = by_map && args.image_index == nullptr ? problem : 0;
  const int64_t stretches = by_map && args.image_index != nullptr ? z.maps : 1;
  const int64_t split = blockIdx.z;
  const int64_t begin = stretches * tiles * split / plan.splits, end = stretches * tiles * (split + 1) / plan.splits;

  shared.own.fill(own_first, plan.own, own_queries ? z.pixels() : z.places(), own_queries && !plan.folded ? problem : 0);
  if (threadIdx.x < kTile) shared.peak[threadIdx.x] = -INFINITY, shared.total[threadIdx.x] = 0;
  __syncthreads();
  if (P == Pass::kQueryGrad) load_statistics(shared, args, shared.own);
  S sum[N][R][R] = {};
  for (int64_t tile = begin; tile < end; ++tile) {
    const int64_t stretch = first_stretch + tile / tiles;
    if (by_map && args.image_index != nullptr && args.image_index[stretch] != set) continue;
    __syncthreads();  // the tile before is done with
    shared.other.fill(tile % tiles * kTile, count, inner, by_map ? stretch : 0);
    __syncthreads();
    if (!own_queries) load_statistics(shared, args, shared.other);
    S logit[R][R], logit_grad[R][R];
    // each product starts with a barrier, so statistics and positions are seen by all
    dot_products(shared, own_queries ? args.query : key, own_queries ? key : args.query, z.channels, logit);
    if (with_logit_grad)
      dot_products(shared, own_queries ? args.grad : value, own_queries ? value : args.grad, z.value_channels, logit_grad);
#pragma unroll
    for (int i = 0; i < R; ++i)
#pragma unroll
      for (int j = 0; j < R; ++j) {
        const int other = y * R + i, own = x * R + j, query = own_queries ? own : other;
        const bool inside = shared.other.map[other] >= 0;
        S weight = logit[i][j] * args.factor;
        if (P == Pass::kForward) {
          weight = inside ? weight : S(-INFINITY);
        } else {
          weight = exp2(weight - shared.log_sum[query]);
          if (with_logit_grad) weight *= logit_grad[i][j] - shared.product[query];
          weight = inside ? weight : S(0);
        }
        shared.weights[other * kTile + own] = weight;
      }
    __syncthreads();
    if (P == Pass::kForward) {
      weigh_forward(shared);
#pragma unroll
      for (int n = 0; n < N; ++n)
#pragma unroll
        for (int i = 0; i < R; ++i)
#pragma unroll
          for (int j = 0; j < R; ++j) sum[n][i][j] *= shared.shrink[x * R + j];
    }
    add_weighted(shared, P == Pass::kForward ? value : P == Pass::kQueryGrad ? key : P == Pass::kKeyGrad ? args.query : args.grad,
                 first_channel, plan.channels, sum);
  }

  const int64_t positions = plan.positions(), at = problem * plan.own + own_first;
  const int64_t left = plan.own - own_first;
#pragma unroll
  for (int n = 0; n < N; ++n)
#pragma unroll
    for (int i = 0; i < R; ++i) {
      const int64_t channel = first_channel + n * kTile + y * R + i;
      if (channel >= plan.channels) continue;
#pragma unroll
      for (int j = 0; j < R; ++j)
        if (x * R + j < left) args.sums[(split * plan.channels + channel) * positions + at + x * R + j] = sum[n][i][j];
    }
  if (P == Pass::kForward && blockIdx.y == 0 && threadIdx.x < kTile && threadIdx.x < left) {
    args.peaks[split * positions + at + threadIdx.x] = shared.peak[threadIdx.x];
    args.totals[split * positions + at + threadIdx.x] = shared.total[threadIdx.x];
  }
}

// Adds up the splits: result (maps, channels, inner) of positions (maps, inner).
template <class T>
struct FinishArgs {
  int64_t splits, channels, positions, inner;
  const Sum<T>*sums, *peaks, *totals;
  Sum<T> factor;
  T* result;
  Sum<T>* log_sum;
};

template <bool Forward, class T>
__global__ void __launch_bounds__(kThreads) finish(const FinishArgs<T> args) {
  using S = Sum<T>;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t n = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; n < args.channels * args.positions; n += step) {
    const int64_t channel = n / args.positions, position = n % args.positions;
    S peak = 0, total = 1, sum = 0;
    if (Forward) {
      peak = -INFINITY, total = 0;
      for (int64_t s = 0; s < args.splits; ++s) peak = fmax(peak, args.peaks[s * args.positions + position]);
    }
    for (int64_t s = 0; s < args.splits; ++s) {
      const S share = args.sums[(s * args.channels + channel) * args.positions + position];
      const S weight = Forward ? exp2(args.peaks[s * args.positions + position] - peak) : args.factor;
      sum += weight * share;
      if (Forward) total += weight * args.totals[s * args.positions + position];
    }
    const int64_t map = position / args.inner, at = position % args.inner;
    narrow(Forward ? sum / total : sum, args.result[(map * args.channels + channel) * args.inner + at]);
    if (Forward && channel == 0) args.log_sum[position] = peak + log2(total);
  }
}

}  // namespace vis::attention
