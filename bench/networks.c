#include "bench/networks.h"

#include <errno.h>
#include <stdio.h>

enum { SITE = 1000 };

static int write_network(uint32_t sites, const char *dev_types, const char *latency,
                         char path[SCRATCH_PATH_MAX], struct error *err) {
    int rc = scratch_file(".yaml", path, err);
    if (rc != 0) return rc;
    FILE *file = fopen(path, "we");
    if (file == NULL) return error_system(err, -errno, "%s", path);
    fprintf(file,
            "sites: {count: %u, prefix: s}\ndev_types: {%s}\nversions: [\"5.2.1\"]\nlatency: %s\n",
            sites, dev_types, latency);
    return fclose(file) == 0 ? 0 : error_system(err, -errno, "%s", path);
}

int networks_make(uint32_t devices, const char *latency, char path[SCRATCH_PATH_MAX],
                  struct error *err) {
    return write_network(devices / SITE,
                         "edge: {count: 4, rack: 10}, spine: {count: 16, rack: 20}, "
                         "leaf: {count: 980, rack: 100, per_rack: 2}",
                         latency, path, err);
}

int networks_make_racks(uint32_t sites, unsigned per_rack, const char *latency,
                        char path[SCRATCH_PATH_MAX], struct error *err) {
    char leaves[64];
    snprintf(leaves, sizeof leaves, "leaf: {count: %d, rack: 100, per_rack: %u}", SITE, per_rack);
    return write_network(sites, leaves, latency, path, err);
}
