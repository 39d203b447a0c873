// Correlation of one plane with one template on vectors, for kernel.simd.cpp alone (one copy per level).
//
// The plane is cut into tiles of up to kTileRows rows x kTileVectors vectors whose sums stay in registers. Template
// rows are taken in chunks of 7, 5, 3 or 1: a loaded vector of an input row then feeds as many output rows as the chunk
// has template rows.
#pragma once

#include "common/vec.h"

namespace {

// 16 vector registers hold 12 sums, 2 inputs and a weight; 32 (level 4) hold more
constexpr int kTileRows = VIS_LEVEL >= 4 ? 8 : 6;
constexpr int kTileVectors = VIS_LEVEL >= 4 ? 3 : 2;
constexpr int kChunkKinds = 4;

VIS_INLINE int64_t parts_of(int64_t total, int64_t most) { return (total + most - 1) / most; }
VIS_INLINE int64_t at_most(int64_t value, int64_t most) { return value < most ? value : most; }
VIS_INLINE int64_t at_least(int64_t value, int64_t least) { return value > least ? value : least; }

// Makes the compiler load again from here on: it would rather keep all weights in registers and spill the sums.
VIS_INLINE void keep_in_memory() { __asm__ volatile("" ::: "memory"); }

// rows of the next chunk when `left` template rows are left, and its place in the tables: 7, 5, 3, 1
VIS_INLINE int chunk_kind(int64_t left) { return left >= 7 ? 0 : left >= 5 ? 1 : left >= 3 ? 2 : 3; }
VIS_INLINE int64_t chunk_rows(int kind) { return 7 - 2 * kind; }

// Weights in the order of use: chunk after chunk, in a chunk column after column, its rows next to each other.
// `flip` turns the template by 180 degrees.
template <class T>
void arrange_weights(const T* filter, int64_t rows, int64_t columns, bool flip, T* to) {
  const int64_t last = rows * columns - 1;
  for (int64_t row = 0; row < rows;) {
    const int64_t size = chunk_rows(chunk_kind(rows - row));
    for (int64_t s = 0; s < columns; ++s)
      for (int64_t k = 0; k < size; ++k) {
        const int64_t from = (row + k) * columns + s;
        *to++ = filter[flip ? last - from : from];
      }
    row += size;
  }
}

template <class T>
struct Tile {
  const T* in[kTileVectors];  // first row, first tap of each vector
  T* out[kTileVectors];
  int64_t in_stride, out_stride;
  const T* weights;
  int64_t columns;
};

// R output rows x V vectors, K template rows; Add: on top of what is in `out`.
template <class T, int K, int R, int V, bool Add>
void correlate_tile(const Tile<T>& tile) {
  const int64_t in_stride = tile.in_stride, out_stride = tile.out_stride, columns = tile.columns;
  const T* weights = tile.weights;
  const T* in[V];
  Vec<T> sum[R][V];
  for (int v = 0; v < V; ++v) in[v] = tile.in[v];
#pragma GCC unroll 8
  for (int o = 0; o < R; ++o)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[o][v] = Add ? load<T>(tile.out[v] + o * out_stride) : Vec<T>{};
  for (int64_t s = 0; s < columns; ++s, weights += K) {
#pragma GCC unroll 16
    for (int y = 0; y < R + K - 1; ++y) {
      keep_in_memory();
      Vec<T> x[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) x[v] = load<T>(in[v] + y * in_stride + s);
#pragma GCC unroll 8
      for (int o = 0; o < R; ++o) {
        if (y - o < 0 || y - o >= K) continue;
        const Vec<T> weight = broadcast<T>(weights[y - o]);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) sum[o][v] += x[v] * weight;
      }
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < R; ++o)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store<T>(tile.out[v] + o * out_stride, sum[o][v]);
}

template <class T>
struct TileTable {
  typedef void (*Function)(const Tile<T>&);
  Function of[kChunkKinds][2][kTileRows][kTileVectors];
};

template <class T, int Kind, bool Add, int R, int V>
constexpr void fill_tiles(TileTable<T>& table) {
  table.of[Kind][Add][R - 1][V - 1] = correlate_tile<T, 7 - 2 * Kind, R, V, Add>;
  if constexpr (V > 1)
    fill_tiles<T, Kind, Add, R, V - 1>(table);
  else if constexpr (R > 1)
    fill_tiles<T, Kind, Add, R - 1, kTileVectors>(table);
  else if constexpr (Add)
    fill_tiles<T, Kind, false, kTileRows, kTileVectors>(table);
  else if constexpr (Kind > 0)
    fill_tiles<T, Kind - 1, true, kTileRows, kTileVectors>(table);
}

template <class T>
constexpr TileTable<T> all_tiles() {
  TileTable<T> table{};
  fill_tiles<T, kChunkKinds - 1, true, kTileRows, kTileVectors>(table);
  return table;
}

template <class T>
constexpr TileTable<T> kTiles = all_tiles<T>();

// One plane: what is read, what is written, and how the width is cut into vectors.
template <class T>
struct Plane {
  const T* in;
  int64_t in_stride;
  T* out;
  int64_t out_stride;
  int64_t height;       // of the output
  int64_t vectors;      // of an output row
  int64_t last_column;  // where the last vector starts; it may overlap the one before, unless sums are added
};

// out (+)= correlation of `in` with `rows` x `columns` arranged weights. With more than one chunk of template rows the
// later ones add to the first, so the vectors of such a plane must not overlap.
template <class T>
void correlate_plane(const Plane<T>& plane, const T* weights, int64_t rows, int64_t columns, bool add) {
  const int64_t row_parts = parts_of(plane.height, kTileRows), column_parts = parts_of(plane.vectors, kTileVectors);
  for (int64_t row = 0; row < rows;) {
    const int kind = chunk_kind(rows - row);
    Tile<T> tile;
    tile.in_stride = plane.in_stride;
    tile.out_stride = plane.out_stride;
    tile.weights = weights;
    tile.columns = columns;
    for (int64_t i = 0; i < row_parts; ++i) {
      const int64_t y0 = plane.height * i / row_parts, y1 = plane.height * (i + 1) / row_parts;
      for (int64_t j = 0; j < column_parts; ++j) {
        const int64_t v0 = plane.vectors * j / column_parts, v1 = plane.vectors * (j + 1) / column_parts;
        for (int64_t v = v0; v < v1; ++v) {
          const int64_t x = v == plane.vectors - 1 ? plane.last_column : v * kLanes<T>;
          tile.in[v - v0] = plane.in + (y0 + row) * plane.in_stride + x;
          tile.out[v - v0] = plane.out + y0 * plane.out_stride + x;
        }
        kTiles<T>.of[kind][add][y1 - y0 - 1][v1 - v0 - 1](tile);
      }
    }
    weights += chunk_rows(kind) * columns;
    row += chunk_rows(kind);
    add = true;
  }
}

}  // namespace
