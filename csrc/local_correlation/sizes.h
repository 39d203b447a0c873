// Sizes of one local correlation and the rows that share a source row, for CPU and CUDA. No torch headers here.
#pragma once

#include <cstdint>

#include "common/host_device.h"

namespace vis::correlation {

// Letters: N pairs of maps, C channels, H x W a map. A shift (i, j) moves by ((i - radius) d, (j - radius) d), d the
// dilation.
struct Sizes {
  int64_t count;
  int64_t channels;
  int64_t height, width;
  int64_t radius;
  int64_t dilation;  // at most the longer side of a map: beyond it every shift but the middle one leaves the map anyhow

  VIS_HOST_DEVICE int64_t patch() const { return 2 * radius + 1; }
  VIS_HOST_DEVICE int64_t plane() const { return height * width; }
  // Farthest shifts that some place of the map still sees: those beyond give zeros. For maps with elements.
  VIS_HOST_DEVICE int64_t row_radius() const { return nearest(radius, (height - 1) / dilation); }
  VIS_HOST_DEVICE int64_t column_radius() const { return nearest(radius, (width - 1) / dilation); }

 private:
  VIS_HOST_DEVICE static int64_t nearest(int64_t a, int64_t b) { return a < b ? a : b; }
};

// Rows first, first + d, .. of a map, `count` of them.
struct RowTile {
  int64_t first, count;
};

// How the rows of a map fall into tiles of up to `rows` rows that lie d apart, so that a source row serves them all
// with neighbouring shifts. Of the d residues the first H % d have a row more than the others.
struct RowTiling {
  int64_t rows, dilation;
  int64_t long_residues, long_tiles;  // residues with one row more, and the tiles of each
  int64_t length, tiles;              // rows and tiles of the other residues

  VIS_HOST_DEVICE RowTiling(const Sizes& z, int64_t most)
      : rows(most), dilation(z.dilation), long_residues(z.height % z.dilation), length(z.height / z.dilation) {
    long_tiles = (length + most) / most;
    tiles = (length + most - 1) / most;
  }
  VIS_HOST_DEVICE int64_t total() const { return long_residues * long_tiles + (dilation - long_residues) * tiles; }

  VIS_HOST_DEVICE RowTile tile(int64_t index) const {
    int64_t residue, part, left = length;
    if (index < long_residues * long_tiles) {
      residue = index / long_tiles;
      part = index % long_tiles;
      ++left;
    } else {
      index -= long_residues * long_tiles;
      residue = long_residues + index / tiles;
      part = index % tiles;
    }
    left -= part * rows;
    return {residue + part * rows * dilation, left < rows ? left : rows};
  }
};

}  // namespace vis::correlation
