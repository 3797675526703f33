#include "common/limits.h"

#include <errno.h>
#include <sys/resource.h>

int limits_descriptors(unsigned long needed, struct error *err) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return error_system(err, -errno, "getrlimit");
    if (limit.rlim_cur >= needed) return 0;
    if (limit.rlim_max < needed)
        return error_set(err,
                         "%lu file descriptors are needed and the limit is %lu: raise it with "
                         "'ulimit -n %lu', or ask for less",
                         needed, (unsigned long)limit.rlim_max, needed);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return error_system(err, -errno, "setrlimit");
    return 0;
}
