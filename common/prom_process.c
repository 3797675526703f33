// Read from /proc/self (proc(5)). What cannot be read there is not told.
#include "common/prom_process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct process_stat {
    double cpu_s, start_s, virtual_bytes, resident_bytes;
};

// 0: nobody knows.
static double boot_time_s(void) {
    char line[256];
    unsigned long long seconds = 0;
    FILE *file = fopen("/proc/stat", "r");
    if (file == NULL) return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "btime %llu", &seconds) == 1) break;
    fclose(file);
    return (double)seconds;
}

static int read_stat(struct process_stat *s) {
    char text[2048];
    FILE *file = fopen("/proc/self/stat", "r");
    if (file == NULL) return -1;
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *fields = strrchr(text, ')'); // the name before it may hold anything
    unsigned long user, system, virtual;
    unsigned long long start;
    long resident;
    if (fields == NULL ||
        sscanf(fields,
               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu "
               "%lu %ld",
               &user, &system, &start, &virtual, &resident) != 5)
        return -1;
    double tick = (double)sysconf(_SC_CLK_TCK);
    s->cpu_s = (double)(user + system) / tick;
    const double boot_s = boot_time_s();
    s->start_s = boot_s == 0 ? 0 : boot_s + (double)start / tick;
    s->virtual_bytes = (double)virtual;
    s->resident_bytes = (double)resident * (double)sysconf(_SC_PAGESIZE);
    return 0;
}

// Linux 6.2 and later tell the number as the size of the folder; with thousands of connections open
// listing them would take longer than all else. -1: nobody knows.
static double count_fds(void) {
    struct stat folder;
    if (stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) return (double)folder.st_size;
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL) return -1;
    double count = 0;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.') count++;
    closedir(dir);
    return count - 1; // the directory itself
}

static void gauge(struct prom_writer *w, const char *name, const char *help, double value) {
    prom_family(w, name, PROM_GAUGE, help);
    prom_sample(w, name, NULL, value);
}

void prom_process(struct prom_writer *w) {
    struct process_stat s;
    struct rlimit limit;
    if (read_stat(&s) == 0) {
        prom_family(w, "process_cpu_seconds", PROM_COUNTER,
                    "Total user and system CPU time spent in seconds.");
        prom_sample(w, "process_cpu_seconds_total", NULL, s.cpu_s);
        gauge(w, "process_virtual_memory_bytes", "Virtual memory size in bytes.", s.virtual_bytes);
        gauge(w, "process_resident_memory_bytes", "Resident memory size in bytes.",
              s.resident_bytes);
        if (s.start_s > 0)
            gauge(w, "process_start_time_seconds",
                  "Start time of the process since unix epoch in seconds.", s.start_s);
    }
    const double fds = count_fds();
    if (fds >= 0) gauge(w, "process_open_fds", "Number of open file descriptors.", fds);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        gauge(w, "process_max_fds", "Maximum number of open file descriptors.",
              (double)limit.rlim_cur);
}
