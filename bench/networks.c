#include "bench/networks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SITE = 1000 };

int networks_make(uint32_t devices, const char *latency, char path[NETWORKS_PATH_MAX],
                  struct error *err) {
    static const char suffix[] = ".yaml";
    snprintf(path, NETWORKS_PATH_MAX, "/tmp/bench-network-XXXXXX%s", suffix);
    int fd = mkstemps(path, sizeof suffix - 1);
    if (fd < 0) return error_system(err, -errno, "%s", path);
    int written = dprintf(fd,
                          "sites: {count: %u, prefix: s}\n"
                          "dev_types: {edge: {count: 4, rack: 10}, spine: {count: 16, rack: 20}, "
                          "leaf: {count: %d, rack: 100, per_rack: 2}}\n"
                          "versions: [\"5.2.1\"]\n"
                          "latency: %s\n",
                          devices / SITE, SITE - 20, latency);
    close(fd);
    return written > 0 ? 0 : error_system(err, -errno, "%s", path);
}
