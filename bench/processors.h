// What the processors cost: the events of a run, fed to the log, the metrics and the report.
#pragma once

#include "common/error.h"

#include <stdint.h>

// us: CPU per device, of an upgrade of all of them.
int processors_cost(uint32_t devices, double *us, struct error *err);
