// The folds, scalings and divisions of every type, compiled for every set of vector instructions.
#ifndef CCL_BACKEND_KERNELS_KERNELS_H_
#define CCL_BACKEND_KERNELS_KERNELS_H_

#include <array>
#include <cstddef>

#include "ccl/backend/compute.h"
#include "ccl/base/types.h"

namespace ccl::kernels {

// What can be done with elements of one type: see compute.h.
struct Row {
  std::array<FoldKernel, kReduceOps> folds{};  // null where the operation makes no sense
  void (*scale)(void* dst, const void* src, size_t count, const Factor& factor) = nullptr;
  void (*divide)(void* data, size_t count, int ranks) = nullptr;
};
using Table = std::array<Row, kDataTypes>;

// Write the rows of their types, for the best instructions that this processor has among those
// compiled (or that hwy::SetSupportedTargetsForTest allows).
void AddIntegers(Table& table);
void AddFloats(Table& table);
void AddShortFloats(Table& table);

// All of them.
inline Table MakeTable() {
  Table table;
  AddIntegers(table);
  AddFloats(table);
  AddShortFloats(table);
  return table;
}

// Operands and result of so many bytes together are taken to lie in no cache. Then a result that is none
// of the operands is written past it: to write a line in the cache means to read it first.
inline constexpr size_t kCacheBytes = 16 << 20;

}  // namespace ccl::kernels

#endif  // CCL_BACKEND_KERNELS_KERNELS_H_
