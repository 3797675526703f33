// spec/scenario.schema.json and the starter of `scenario new`, embedded at build. The starter's
// file does not end in .yaml: what does is taken for a scenario of this folder.
#pragma once

#include <stddef.h>

extern const char scenario_schema[];
extern const size_t scenario_schema_len;
extern const char starter_yaml[];
extern const size_t starter_yaml_len;
