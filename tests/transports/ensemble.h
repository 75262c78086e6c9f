// A job whose ranks have a backend each, all in this process, as one backend.
#ifndef TESTS_TRANSPORTS_ENSEMBLE_H_
#define TESTS_TRANSPORTS_ENSEMBLE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/backend/backend.h"

namespace ccl {

// Opens all `ranks` ranks of a URL, each from a thread of its own.
absl::StatusOr<std::unique_ptr<Backend>> OpenEnsemble(absl::string_view url, int ranks);

}  // namespace ccl

#endif  // TESTS_TRANSPORTS_ENSEMBLE_H_
