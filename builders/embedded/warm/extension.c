#include <stdlib.h>

void *take(int bytes) { return malloc(bytes); }
