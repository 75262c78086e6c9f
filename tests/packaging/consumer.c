/* C99. */
#include "consumer.h"

int main(void) { return EmulatedAllReduce() != 0; }
