// Before Highway's headers, in every file that looks at its targets: what is not compiled. The oldest of
// x86's vectors are not worth their code, and vectors of a length that only the processor knows cannot be
// members of what the kernels keep in registers.
#ifndef CCL_BACKEND_KERNELS_TARGETS_H_
#define CCL_BACKEND_KERNELS_TARGETS_H_

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#endif  // CCL_BACKEND_KERNELS_TARGETS_H_
