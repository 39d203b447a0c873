// Detects the instruction level of this CPU once, and the op that tests and benchmarks set it with.
#include "common/cpu_level.h"

#include <torch/csrc/stable/library.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

namespace vis {

namespace {

int detected_level() {
#if !defined(VIS_ONE_LEVEL) && (defined(__x86_64__) || defined(_M_X64))
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("lzcnt");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  return v4 ? 4 : v3 ? 3 : 1;
#else
  return 1;
#endif
}

int known_level(int level) { return level >= 4 ? 4 : level >= 3 ? 3 : 1; }

int initial_level() {
  const char* wanted = std::getenv("VIS_CPU_LEVEL");
  return wanted && *wanted ? std::min(known_level(std::atoi(wanted)), detected_level()) : detected_level();
}

std::atomic<int>& current_level() {
  static std::atomic<int> level{initial_level()};
  return level;
}

int64_t set_cpu_level_op(int64_t level) { return set_cpu_level(static_cast<int>(level)); }

}  // namespace

int cpu_level() { return current_level().load(std::memory_order_relaxed); }

int set_cpu_level(int level) { return current_level().exchange(std::min(known_level(level), detected_level())); }

}  // namespace vis

STABLE_TORCH_LIBRARY(vis_projects, m) {
  // returns the level before; levels that the CPU lacks become its highest
  m.def("set_cpu_level(int level) -> int");
}

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CompositeExplicitAutograd, m) {
  m.impl("set_cpu_level", TORCH_BOX(&vis::set_cpu_level_op));
}
