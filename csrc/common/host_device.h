// Marks functions that CPU code and CUDA kernels share. No torch headers here.
#pragma once

#ifdef __CUDACC__
#define VIS_HOST_DEVICE __host__ __device__
#else
#define VIS_HOST_DEVICE
#endif
