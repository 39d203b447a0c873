// Which instruction level the CPU kernels run on, chosen at run time. No torch headers here.
//
// A kernel file <name>.simd.cpp is compiled once per level with VIS_LEVEL = 1 (x86-64), 3 (x86-64-v3) or
// 4 (x86-64-v4). It defines one function VIS_LEVELLED(kernels)() that returns a table of function pointers; the
// caller picks the table of the current level with VIS_KERNELS(ns, kernels)(). All else in such a file lies in an
// unnamed namespace and no std template is instantiated, so that the linker cannot mix levels.
#pragma once

namespace vis {

// 1, 3 or 4: the highest level that this CPU has, or a lower one that VIS_CPU_LEVEL or set_cpu_level asked for.
int cpu_level();

// Chooses a level, at most the CPU's own; returns the one before. For tests and benchmarks.
int set_cpu_level(int level);

}  // namespace vis

#define VIS_JOIN_(a, b) a##_v##b
#define VIS_JOIN(a, b) VIS_JOIN_(a, b)
// name of this level's copy, inside a .simd.cpp
#define VIS_LEVELLED(name) VIS_JOIN(name, VIS_LEVEL)

#ifdef VIS_ONE_LEVEL
#define VIS_KERNELS(ns, name) (ns::name##_v1)
#else
#define VIS_KERNELS(ns, name) \
  (::vis::cpu_level() >= 4 ? ns::name##_v4 : ::vis::cpu_level() >= 3 ? ns::name##_v3 : ns::name##_v1)
#endif
// declares the function of every level: VIS_DECLARE_KERNELS(const Kernels&, kernels);
#define VIS_DECLARE_KERNELS(type, name) \
  type name##_v1();                     \
  type name##_v3();                     \
  type name##_v4()
