// Kernels of the integers.
#include "ccl/backend/kernels/kernels.h"
#include "ccl/backend/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ccl/backend/kernels/integers.cc"
#include "hwy/foreach_target.h"
// After it, or they would be compiled for one target.
#include "ccl/backend/kernels/fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ccl::kernels::HWY_NAMESPACE {

void AddIntegersHere(Table& table) {
  table[static_cast<size_t>(DataType::kInt8)] = RowOf<int8_t>();
  table[static_cast<size_t>(DataType::kUint8)] = RowOf<uint8_t>();
  table[static_cast<size_t>(DataType::kInt16)] = RowOf<int16_t>();
  table[static_cast<size_t>(DataType::kUint16)] = RowOf<uint16_t>();
  table[static_cast<size_t>(DataType::kInt32)] = RowOf<int32_t>();
  table[static_cast<size_t>(DataType::kUint32)] = RowOf<uint32_t>();
  table[static_cast<size_t>(DataType::kInt64)] = RowOf<int64_t>();
  table[static_cast<size_t>(DataType::kUint64)] = RowOf<uint64_t>();
}

}  // namespace ccl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ccl::kernels {

HWY_EXPORT(AddIntegersHere);
void AddIntegers(Table& table) { HWY_DYNAMIC_DISPATCH(AddIntegersHere)(table); }

}  // namespace ccl::kernels
#endif  // HWY_ONCE
