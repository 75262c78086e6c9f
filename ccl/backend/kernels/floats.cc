// Kernels of the floats that the processor computes in.
#include "ccl/backend/kernels/kernels.h"
#include "ccl/backend/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ccl/backend/kernels/floats.cc"
#include "hwy/foreach_target.h"
// After it, or they would be compiled for one target.
#include "ccl/backend/kernels/fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ccl::kernels::HWY_NAMESPACE {

void AddFloatsHere(Table& table) {
  table[static_cast<size_t>(DataType::kFloat32)] = RowOf<float>();
  table[static_cast<size_t>(DataType::kFloat64)] = RowOf<double>();
}

}  // namespace ccl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ccl::kernels {

HWY_EXPORT(AddFloatsHere);
void AddFloats(Table& table) { HWY_DYNAMIC_DISPATCH(AddFloatsHere)(table); }

}  // namespace ccl::kernels
#endif  // HWY_ONCE
