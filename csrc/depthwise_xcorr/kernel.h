// CPU kernels of the depth-wise cross-correlation, one table per instruction level. No torch headers here.
#pragma once

#include <cstdint>

#include "common/cpu_level.h"
#include "sizes.h"

namespace vis::xcorr {

// Which templates belong to which search map: those of map b are order[begin[b]] .. order[begin[b + 1] - 1].
struct Groups {
  const int64_t* begin;
  const int64_t* order;
  bool uneven;  // maps may have different numbers of templates
};

template <class T>
struct ForwardArgs {
  Sizes sizes;
  Groups groups;
  const T* search;
  const T* filter;
  T* out;
};

// search_grad and filter_grad may each be null: not wanted
template <class T>
struct BackwardArgs {
  Sizes sizes;
  Groups groups;
  const T* grad;
  const T* search;
  const T* filter;
  T* search_grad;
  T* filter_grad;
};

// A job is one channel of one search map with all templates of that map; jobs write to different places.
// Neighbouring jobs are neighbours in memory, but where maps are uneven each thread gets its share of all maps.
inline void job_place(const Sizes& z, const Groups& groups, int64_t job, int64_t& channel, int64_t& map) {
  channel = groups.uneven ? job / z.maps : job % z.channels;
  map = groups.uneven ? job % z.maps : job / z.channels;
}

struct Kernels {
  void (*forward_float)(const ForwardArgs<float>&, int64_t begin, int64_t end);
  void (*forward_double)(const ForwardArgs<double>&, int64_t begin, int64_t end);
  void (*backward_float)(const BackwardArgs<float>&, int64_t begin, int64_t end);
  void (*backward_double)(const BackwardArgs<double>&, int64_t begin, int64_t end);
};

VIS_DECLARE_KERNELS(const Kernels&, kernels);

}  // namespace vis::xcorr
