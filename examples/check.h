/* What every lesson does with an error: say what happened and stop. */
#ifndef EXAMPLES_CHECK_H_
#define EXAMPLES_CHECK_H_

#include <stdio.h>
#include <stdlib.h>

#include "ccl/ccl.h"

#define CHECK(call)                                                              \
  do {                                                                           \
    cclResult_t check_result = (call);                                           \
    if (check_result != cclSuccess) {                                            \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__,                     \
              cclGetErrorString(check_result), cclGetLastError(NULL));           \
      exit(1);                                                                   \
    }                                                                            \
  } while (0)

#endif /* EXAMPLES_CHECK_H_ */
