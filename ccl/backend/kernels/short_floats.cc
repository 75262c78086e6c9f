// Kernels of the floats that are stored in 16 and 8 bits and folded in 32.
#include "ccl/backend/kernels/kernels.h"
#include "ccl/backend/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ccl/backend/kernels/short_floats.cc"
#include "hwy/foreach_target.h"
// After it, or they would be compiled for one target.
#include "ccl/backend/kernels/fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ccl::kernels::HWY_NAMESPACE {

void AddShortFloatsHere(Table& table) {
  table[static_cast<size_t>(DataType::kFloat16)] = RowOf<Float16>();
  table[static_cast<size_t>(DataType::kBfloat16)] = RowOf<Bfloat16>();
  table[static_cast<size_t>(DataType::kFloat8E4M3)] = RowOf<Float8E4M3>();
  table[static_cast<size_t>(DataType::kFloat8E5M2)] = RowOf<Float8E5M2>();
}

}  // namespace ccl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ccl::kernels {

HWY_EXPORT(AddShortFloatsHere);
void AddShortFloats(Table& table) { HWY_DYNAMIC_DISPATCH(AddShortFloatsHere)(table); }

}  // namespace ccl::kernels
#endif  // HWY_ONCE
