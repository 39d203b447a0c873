// CPU kernels of the local correlation: pack.h lays the maps out, forward.h and backward.h do the sums.
#include "kernel.h"

#include "backward.h"
#include "common/scratch.h"
#include "forward.h"
#include "pack.h"

namespace vis::correlation {

namespace {

template <class T>
constexpr KernelsOf<T> kernels_of() {
  return {packed_row<T>,   packed_weights<T>, pack_jobs<T>, pack<T>, pack_weights<T>,
          forward_jobs<T>, forward<T>,        backward_jobs<T>, backward<T>};
}

}  // namespace

const Kernels& VIS_LEVELLED(kernels)() {
  static constexpr Kernels table{kernels_of<float>(), kernels_of<double>()};
  return table;
}

}  // namespace vis::correlation
