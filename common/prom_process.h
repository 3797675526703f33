// The process_* metrics that every Prometheus client library offers, of this process.
#pragma once

#include "common/prom.h"

void prom_process(struct prom_writer *w);
