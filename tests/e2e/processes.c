#include "tests/e2e/processes.h"

#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATIENCE_MS = 60 * 1000 };

// A process's parent, or 0 where it is gone.
static pid_t parent_of(pid_t pid) {
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *name_end = strrchr(text, ')'); // "pid (name) state parent ..."
    return name_end == NULL ? 0 : (pid_t)atoi(name_end + 4);
}

static void add(struct processes *p, pid_t pid) {
    ck_assert_uint_lt(p->count, PROCESSES_MAX);
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    ck_assert_int_ge(fd, 0);
    p->pids[p->count] = pid;
    p->fds[p->count++] = fd;
}

static void add_children(pid_t parent, struct processes *found) {
    DIR *all = opendir("/proc");
    ck_assert_ptr_nonnull(all);
    for (const struct dirent *entry; (entry = readdir(all)) != NULL;) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (isdigit((unsigned char)entry->d_name[0]) && parent_of(pid) == parent) add(found, pid);
    }
    closedir(all);
}

void processes_below(pid_t pid, struct processes *found) {
    *found = (struct processes){0};
    add_children(pid, found);
    for (size_t i = 0; i < found->count; i++)
        add_children(found->pids[i], found);
}

void processes_await_end(struct processes *p) {
    for (size_t i = 0; i < p->count; i++) {
        struct pollfd ending = {.fd = p->fds[i], .events = POLLIN};
        ck_assert_msg(poll(&ending, 1, PATIENCE_MS) == 1, "process %d lives", (int)p->pids[i]);
        close(p->fds[i]);
    }
}
