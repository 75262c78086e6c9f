// The text of this thread's last error, of the library's or of a binding's own.
#ifndef CCL_BINDINGS_RUNTIME_ERROR_H_
#define CCL_BINDINGS_RUNTIME_ERROR_H_

#include <string>

#include "ccl/ccl.h"

namespace ccl::bindings {

// Keeps the library's text if `result` is an error; returns it.
cclResult_t Note(cclResult_t result);
// Keeps a text of the binding's own; returns `result`.
cclResult_t Refuse(cclResult_t result, std::string text);
// Valid until the thread's next error.
const char* LastError();

}  // namespace ccl::bindings

#endif  // CCL_BINDINGS_RUNTIME_ERROR_H_
