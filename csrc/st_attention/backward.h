// Backward pass of the attention, for kernel.simd.cpp alone (one copy per level).
//
// With weights P = 2^(logits - log_sum) made again block by block, G the gradient of the output and D = sum over the
// channels of G times output, one number a query:
//   dP = V^T G,  dS = P (dP - D),  dV = G P^T,  dQ = scale K dS^T,  dK = scale Q dS^T.
// A thread owns a group of keys and walks tiles of queries: it alone writes its keys' gradients, and its share of the
// queries' gradients lies apart; finish adds the shares up in their order.
#pragma once

#include "common/scratch.h"
#include "pixels.h"
#include "product.h"

namespace vis::attention {

namespace {

// One tile of queries as the products read it; rows of channels come from `packed` alone.
template <class T>
struct PackedTile {
  T* query;      // (d, kTileStride), scaled so that logits are to base 2
  T* grad;       // (dv, kTileStride)
  T* log_sum;    // (kTile)
  T* product;    // (kTile) D
  T* query_row;  // (kTile, row(d)), scaled
  T* grad_row;   // (kTile, row(dv))

  PackedTile(const BackwardArgs<T>& args, int64_t tile) {
    const Sizes& z = args.inputs.sizes;
    query = args.packed + tile * BackwardArgs<T>::packed_tile_size(z);
    grad = query + z.channels * kTileStride;
    log_sum = grad + z.value_channels * kTileStride;
    product = log_sum + kTileStride;
    query_row = product + kTileStride;
    grad_row = query_row + kTile * BackwardArgs<T>::row(z.channels);
  }
};

template <class T>
void prepare(const BackwardArgs<T>& args, int64_t begin, int64_t end) {
  const Inputs<T>& in = args.inputs;
  const Sizes& z = in.sizes;
  const int64_t row = BackwardArgs<T>::row(z.channels), grad_row = BackwardArgs<T>::row(z.value_channels);
  T* out = static_cast<T*>(scratch(sizeof(T) * z.value_channels * kTile, 0));
  for (int64_t tile = begin; tile < end; ++tile) {
    const PackedTile<T> packed(args, tile);
    const int64_t first = args.first + tile * kTile, count = at_most(args.queries.count - first, kTile);
    // where there is no query all is 0: a weight is 1 there, but G, D and with them dS are 0, so nothing is added
    gather<T>(query_axis(in.query, args.queries, z), first, count, z.channels, in.scale, packed.query, kTileStride, kTile);
    std::memset(packed.query_row, 0, sizeof(T) * kTile * (row + grad_row));
    transpose<T>(packed.query, kTileStride, z.channels, kTile, 1, packed.query_row, row);
    for (int64_t n = 0; n < z.channels * kTileStride; n += kTileStride)
      for (int64_t q = 0; q < kTile; ++q) packed.query[n + q] *= static_cast<T>(kLog2E);
    gather<T>(query_axis(args.grad, args.queries, z), first, count, z.value_channels, 1, packed.grad, kTileStride, kTile);
    transpose<T>(packed.grad, kTileStride, z.value_channels, kTile, 1, packed.grad_row, grad_row);
    gather<T>(query_axis(args.log_sum, args.queries, z), first, count, 1, 1, packed.log_sum, kTile, kTile);
    gather<T>(query_axis(args.out, args.queries, z), first, count, z.value_channels, 1, out, kTile, kTile);
    std::memset(packed.product, 0, sizeof(T) * kTile);
    for (int64_t c = 0; c < z.value_channels; ++c)
      for (int64_t q = 0; q < kTile; ++q) packed.product[q] += packed.grad[c * kTileStride + q] * out[c * kTile + q];
  }
}

// A block of keys in working memory, with the gradients of keys and values as (keys, channels).
template <class T>
struct KeyBlock {
  int64_t count, stride;
  T *keys, *values;            // (d, stride), (dv, stride)
  T *weights, *logit_grad;     // (count, kTileStride) P and dP, then dS
  T *key_grad, *value_grad;    // (count, row(d)), (count, row(dv))

  KeyBlock(const Sizes& z, int64_t most) : count(0), stride(most / 32 * 32 + 48) {
    const int64_t row = BackwardArgs<T>::row(z.channels), value_row = BackwardArgs<T>::row(z.value_channels);
    keys = static_cast<T*>(scratch(sizeof(T) * stride * (z.channels + z.value_channels), 1));
    values = keys + z.channels * stride;
    weights = static_cast<T*>(scratch(sizeof(T) * most * 2 * kTileStride, 2));
    logit_grad = weights + most * kTileStride;
    key_grad = static_cast<T*>(scratch(sizeof(T) * most * (row + value_row), 3));
    value_grad = key_grad + most * row;
  }
};

// P and, where `with_logits`, dS of a block of keys and a tile of queries.
template <class T>
void weigh_tile(const Sizes& z, const KeyBlock<T>& block, const PackedTile<T>& tile, bool with_logits) {
  constexpr int64_t vectors = kTile / kLanes<T>;
  product<T>({block.keys, 1, block.stride, tile.query, kTileStride, block.weights, kTileStride, z.channels}, block.count,
             vectors, false);
  if (with_logits)
    product<T>({block.values, 1, block.stride, tile.grad, kTileStride, block.logit_grad, kTileStride, z.value_channels},
               block.count, vectors, false);
  for (int64_t q = 0; q < kTile; q += kLanes<T>) {
    const Vec<T> log_sum = load<T>(tile.log_sum + q), mean = load<T>(tile.product + q);
    for (int64_t k = 0; k < block.count; ++k) {
      T *weight = block.weights + k * kTileStride + q, *logit_grad = block.logit_grad + k * kTileStride + q;
      const Vec<T> p = exp2_lanes<T>(load<T>(weight) - log_sum);
      store<T>(weight, p);
      if (with_logits) store<T>(logit_grad, p * (load<T>(logit_grad) - mean));
    }
  }
}

// All that a block of keys and a tile of queries add to the gradients; `first_tile`, `first_block`: nothing is there yet.
template <class T>
void accumulate_tile(const BackwardArgs<T>& args, const KeyBlock<T>& block, int64_t tile_index, T* share, bool first_tile,
                     bool first_block) {
  const Sizes& z = args.inputs.sizes;
  const int64_t row = BackwardArgs<T>::row(z.channels), value_row = BackwardArgs<T>::row(z.value_channels);
  const PackedTile<T> tile(args, tile_index);
  weigh_tile(z, block, tile, args.query_grad.data || args.key_grad.data);
  if (args.value_grad.data)
    product<T>({block.weights, kTileStride, 1, tile.grad_row, value_row, block.value_grad, value_row, kTile}, block.count,
               parts_of(z.value_channels, kLanes<T>), !first_tile);
  if (args.key_grad.data)
    product<T>({block.logit_grad, kTileStride, 1, tile.query_row, row, block.key_grad, row, kTile}, block.count,
               parts_of(z.channels, kLanes<T>), !first_tile);
  if (args.query_grad.data)
    product<T>({block.keys, block.stride, 1, block.logit_grad, kTileStride, share, kTile, block.count}, z.channels,
               kTile / kLanes<T>, !first_block);
}

// (keys, channels) gradients of a block into their place; later stretches of queries add to the first.
template <class T>
void put_gradient(const BackwardArgs<T>& args, const Planes<T>& to, const T* from, int64_t row, int64_t channels,
                  int64_t begin, const KeyBlock<T>& block) {
  T* turned = block.weights;  // free by now; channels come a few at a time
  for (int64_t c = 0; c < channels; c += kTile) {
    const int64_t some = at_most(channels - c, kTile);
    transpose<T>(from + c, row, block.count, some, 1, turned, block.count);
    Axis<T> axis = key_axis(to, args.set, args.inputs.sizes);
    axis.data += c * axis.channel_stride;
    scatter<T>(axis, begin, block.count, some, turned, block.count, args.first > 0);
  }
}

template <class T>
void accumulate(const BackwardArgs<T>& args, int64_t begin, int64_t end) {
  const Sizes& z = args.inputs.sizes;
  const Axis<const T> keys = key_axis(args.inputs.key, args.set, z), values = key_axis(args.inputs.value, args.set, z);
  KeyBlock<T> block(z, parts_of(z.keys(), args.blocks));
  for (int64_t group = begin; group < end; ++group) {
    const int64_t first = args.blocks * group / args.groups, last = args.blocks * (group + 1) / args.groups;
    T* shares = args.shares + group * args.tiles * args.share_size();
    for (int64_t b = first; b < last; ++b) {
      const int64_t at = z.keys() * b / args.blocks;
      block.count = z.keys() * (b + 1) / args.blocks - at;
      gather<T>(keys, at, block.count, z.channels, 1, block.keys, block.stride, block.count);
      gather<T>(values, at, block.count, z.value_channels, 1, block.values, block.stride, block.count);
      for (int64_t tile = 0; tile < args.tiles; ++tile)
        accumulate_tile(args, block, tile, shares + tile * args.share_size(), tile == 0, b == first);
      if (args.key_grad.data)
        put_gradient(args, args.key_grad, block.key_grad, BackwardArgs<T>::row(z.channels), z.channels, at, block);
      if (args.value_grad.data)
        put_gradient(args, args.value_grad, block.value_grad, BackwardArgs<T>::row(z.value_channels), z.value_channels,
                     at, block);
    }
  }
}

template <class T>
void finish(const BackwardArgs<T>& args, int64_t begin, int64_t end) {
  const Sizes& z = args.inputs.sizes;
  const int64_t size = args.share_size();
  for (int64_t tile = begin; tile < end; ++tile) {
    T* sum = args.shares + tile * size;
    for (int64_t group = 1; group < args.groups; ++group) {
      const T* share = args.shares + (group * args.tiles + tile) * size;
      for (int64_t n = 0; n < size; ++n) sum[n] += share[n];
    }
    for (int64_t n = 0; n < size; ++n) sum[n] *= args.inputs.scale;
    const int64_t first = args.first + tile * kTile;
    scatter<T>(query_axis(args.query_grad, args.queries, z), first, at_most(args.queries.count - first, kTile),
               z.channels, sum, kTile, false);
  }
}

}  // namespace

}  // namespace vis::attention
