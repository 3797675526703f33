// spec/orchestrator.yaml, embedded at build.
#pragma once

#include <stddef.h>

extern const char swagger_yaml[];
extern const size_t swagger_yaml_len;
