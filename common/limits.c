#include "common/limits.h"

#include "common/mem.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
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

static void *wait_for_end(void *arg) {
    while (sem_wait(arg) != 0) // a signal
        ;
    return NULL;
}

// They are made, all at a time, and end.
int limits_threads(unsigned needed, struct error *err) {
    pthread_t *threads = mem_array(needed, sizeof *threads);
    unsigned count = 0;
    int rc = 0;
    sem_t end;
    sem_init(&end, 0, 0);
    while (count < needed && rc == 0) {
        rc = pthread_create(&threads[count], NULL, wait_for_end, &end);
        count += rc == 0;
    }
    for (unsigned i = 0; i < count; i++)
        sem_post(&end);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    sem_destroy(&end);
    free(threads);
    if (rc == 0) return 0;
    error_system(err, -rc, "%u threads are needed, and the system makes %u", needed, count);
    error_advise(err, "raise the limit (ulimit -u, or TasksMax= of a systemd service)");
    return ERROR_INPUT;
}
