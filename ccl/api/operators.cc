#include "ccl/api/operators.h"

#include <atomic>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/api/handles.h"
#include "ccl/base/status.h"

namespace ccl::api {

absl::StatusOr<int> Operators::Add(CustomOp op) {
  static std::atomic<int64_t> next{cclNumOps};
  const int64_t number = next.fetch_add(1);
  if (number >= cclMaxRedOp) return absl::ResourceExhaustedError("no numbers are left for reductions");
  operators_[static_cast<int>(number)] = std::make_shared<const CustomOp>(std::move(op));
  return static_cast<int>(number);
}

absl::Status Operators::Remove(int number) {
  if (operators_.erase(number) > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "cclRedOpDestroy: reduction ", number,
      number >= 0 && number < cclNumOps ? " is not one that was made"
                                        : " is not this communicator's, or has been destroyed"));
}

std::shared_ptr<const CustomOp> Operators::Find(int number) const {
  const auto found = operators_.find(number);
  return found == operators_.end() ? nullptr : found->second;
}

namespace {

absl::Status Create(cclRedOp_t* op, CustomOp made, cclComm_t comm) {
  CCL_ASSIGN_OR_RETURN(const int number, comm->operators.Add(std::move(made)));
  *op = static_cast<cclRedOp_t>(number);
  return absl::OkStatus();
}

absl::Status CreatePreMulSum(cclRedOp_t* op, const void* scalar, cclDataType_t type,
                             cclScalarResidence_t residence, cclComm_t comm) {
  CCL_RETURN_IF_ERROR(CheckComm(comm));
  const auto error = [](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("cclRedOpCreatePreMulSum: ", what...));
  };
  if (op == nullptr) return error("op is null");
  if (scalar == nullptr) return error("the scalar is null");
  if (static_cast<int>(type) < 0 || type >= cclNumTypes) return error("unknown data type ", type);
  if (residence != cclScalarDevice && residence != cclScalarHostImmediate) {
    return error("unknown residence ", residence, " of the scalar");
  }
  CustomOp made;
  made.type = static_cast<DataType>(type);
  if (residence == cclScalarDevice) {
    made.scalar = scalar;
  } else {
    std::memcpy(made.immediate.data(), scalar, SizeOf(made.type));
  }
  return Create(op, std::move(made), comm);
}

absl::Status CreateFunction(cclRedOp_t* op, cclRedOpFunction_t function, void* user, int commutative,
                            cclComm_t comm) {
  CCL_RETURN_IF_ERROR(CheckComm(comm));
  if (op == nullptr) return absl::InvalidArgumentError("cclRedOpCreate: op is null");
  if (function == nullptr) return absl::InvalidArgumentError("cclRedOpCreate: the function is null");
  CustomOp made;
  made.commutative = commutative != 0;
  made.function = [function, user](const void* left, const void* right, void* result, size_t count,
                                   DataType type) {
    function(left, right, result, count, static_cast<cclDataType_t>(type), user);
  };
  return Create(op, std::move(made), comm);
}

}  // namespace
}  // namespace ccl::api

using namespace ccl::api;

extern "C" {

cclResult_t cclRedOpCreatePreMulSum(cclRedOp_t* op, void* scalar, cclDataType_t type,
                                    cclScalarResidence_t residence, cclComm_t comm) {
  return Report(CreatePreMulSum(op, scalar, type, residence, comm));
}

cclResult_t cclRedOpCreate(cclRedOp_t* op, cclRedOpFunction_t function, void* user, int commutative,
                           cclComm_t comm) {
  return Report(CreateFunction(op, function, user, commutative, comm));
}

cclResult_t cclRedOpDestroy(cclRedOp_t op, cclComm_t comm) {
  if (absl::Status status = CheckComm(comm); !status.ok()) return Report(status);
  return Report(comm->operators.Remove(static_cast<int>(op)));
}

}  // extern "C"
