// Matrix products on vectors and the exponential, for kernel.simd.cpp alone (one copy per level).
//
// All five products of attention are one: rows of c, whose lanes are queries or channels, get sums of numbers of a,
// each spread over all lanes, times vectors of b. A tile of c stays in registers.
#pragma once

#include "common/vec.h"

namespace {

// 16 vector registers hold 12 sums, 2 vectors of b and a number of a; 32 (level 4) hold more
constexpr int kTileRows = VIS_LEVEL >= 4 ? 12 : 6;
constexpr int kTileVectors = 2;

VIS_INLINE int64_t parts_of(int64_t total, int64_t most) { return (total + most - 1) / most; }
VIS_INLINE int64_t at_most(int64_t value, int64_t most) { return value < most ? value : most; }
VIS_INLINE int64_t at_least(int64_t value, int64_t least) { return value > least ? value : least; }

template <class T>
struct Product {
  const T* a;
  int64_t a_row, a_step;
  const T* b;
  int64_t b_step;
  T* c;
  int64_t c_row;
  int64_t steps;
};

// c[r][v] (+)= sum over i of a[r * a_row + i * a_step] * b[i * b_step + v]. UnitRow: a_row is 1.
template <class T, bool UnitRow, bool Add, int R, int V>
void product_tile(const Product<T>& p) {
  const int64_t a_row = UnitRow ? 1 : p.a_row, a_step = UnitRow ? p.a_step : 1, b_step = p.b_step;
  // three rows of a are reached from one pointer
  const T* a[(R + 2) / 3];
#pragma GCC unroll 4
  for (int r = 0; r < R; r += 3) a[r / 3] = p.a + r * a_row;
  const T* b = p.b;
  Vec<T> sum[R][V];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sum[r][v] = Add ? load<T>(p.c + r * p.c_row + v * kLanes<T>) : Vec<T>{};
  for (int64_t i = 0; i < p.steps; ++i, b += b_step) {
    Vec<T> x[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) x[v] = load<T>(b + v * kLanes<T>);
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const Vec<T> factor = broadcast<T>(a[r / 3][r % 3 * a_row]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sum[r][v] += factor * x[v];
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; r += 3) a[r / 3] += a_step;
  }
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) store<T>(p.c + r * p.c_row + v * kLanes<T>, sum[r][v]);
}

template <class T>
struct TileTable {
  typedef void (*Function)(const Product<T>&);
  Function of[2][2][kTileRows][kTileVectors];
};

template <class T, bool UnitRow, bool Add, int R, int V>
constexpr void fill_tiles(TileTable<T>& table) {
  table.of[UnitRow][Add][R - 1][V - 1] = product_tile<T, UnitRow, Add, R, V>;
  if constexpr (V > 1)
    fill_tiles<T, UnitRow, Add, R, V - 1>(table);
  else if constexpr (R > 1)
    fill_tiles<T, UnitRow, Add, R - 1, kTileVectors>(table);
  else if constexpr (Add)
    fill_tiles<T, UnitRow, false, kTileRows, kTileVectors>(table);
  else if constexpr (UnitRow)
    fill_tiles<T, false, true, kTileRows, kTileVectors>(table);
}

template <class T>
constexpr TileTable<T> all_tiles() {
  TileTable<T> table{};
  fill_tiles<T, true, true, kTileRows, kTileVectors>(table);
  return table;
}

template <class T>
constexpr TileTable<T> kTiles = all_tiles<T>();

// All of `rows` x `vectors`; either a_row or a_step is 1.
template <class T>
void product(Product<T> p, int64_t rows, int64_t vectors, bool add) {
  const T* a = p.a;
  T* c = p.c;
  const int64_t parts = parts_of(rows, kTileRows);
  for (int64_t v = 0; v < vectors; v += kTileVectors) {
    const int64_t width = at_most(vectors - v, kTileVectors);
    for (int64_t i = 0; i < parts; ++i) {
      const int64_t first = rows * i / parts, last = rows * (i + 1) / parts;
      p.a = a + first * p.a_row;
      p.c = c + first * p.c_row + v * kLanes<T>;
      kTiles<T>.of[p.a_row == 1][add][last - first - 1][width - 1](p);
    }
    p.b += kTileVectors * kLanes<T>;
  }
}

// the larger of each lane; b where they do not compare
template <class T>
VIS_INLINE Vec<T> larger(Vec<T> a, Vec<T> b) {
  return a > b ? a : b;
}

// What exp2 needs of a type: rounding[0] + x - rounding[0] is x rounded to a whole number, whose bits then end those of
// rounding[0] + x; below `least` the result stays what it is there, which is nothing beside a sum that is 1 or more.
template <class T>
struct Exp2;
template <>
struct Exp2<float> {
  static constexpr float rounding = 12582912.0f, least = -125.0f;  // 1.5 * 2^23
  static constexpr int mantissa = 23, degree = 6;
  // largest relative error on [-1/2, 1/2] 1.9e-9, found by Remez exchange
  static constexpr float coefficient[degree + 1] = {1.0f,           0.6931471825f,  0.2402264625f, 0.05550328642f,
                                                    0.009618489072f, 0.001339993090f, 0.0001534581243f};
};
template <>
struct Exp2<double> {
  static constexpr double rounding = 6755399441055744.0, least = -1021.0;  // 1.5 * 2^52
  static constexpr int mantissa = 52, degree = 13;
  // ln(2)^k / k!
  static constexpr double coefficient[degree + 1] = {
      1.0,                    0.6931471805599453,     0.2402265069591007,     0.055504108664821576,
      0.009618129107628477,   0.0013333558146428441,  0.00015403530393381606, 1.5252733804059838e-05,
      1.3215486790144305e-06, 1.0178086009239696e-07, 7.054911620801121e-09,  4.44553827187081e-10,
      2.5678435993488196e-11, 1.3691488853904124e-12};
};

// 2^x for x of 0 or less (a little more is right too); nan stays nan.
template <class T>
VIS_INLINE Vec<T> exp2_lanes(Vec<T> x) {
  typedef typename VecType<T>::mask Bits;
  x = larger<T>(broadcast<T>(Exp2<T>::least), x);
  const Vec<T> shifted = x + Exp2<T>::rounding;
  const Vec<T> rest = x - (shifted - Exp2<T>::rounding);
  Vec<T> power = broadcast<T>(Exp2<T>::coefficient[Exp2<T>::degree]);
#pragma GCC unroll 16
  for (int k = Exp2<T>::degree - 1; k >= 0; --k) power = power * rest + Exp2<T>::coefficient[k];
  return (Vec<T>)((Bits)power + ((Bits)shifted << Exp2<T>::mantissa));
}

}  // namespace
