#include "common/log.h"

#include "common/count.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};

int log_level_parse(const char *text, enum log_level *level, struct error *err) {
    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcasecmp(text, names[i]) != 0) continue;
        *level = (enum log_level)i;
        return 0;
    }
    return error_set(err, "'%.40s' is not a level: debug, info, warning or error", text);
}

static int open_path(const char *path, struct error *err) {
    if (strcmp(path, "-") == 0) return STDERR_FILENO;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return fd >= 0 ? fd : error_system(err, -errno, "%s", path);
}

int log_open(struct log *l, const char *path, enum log_level level, struct error *err) {
    int fd = open_path(path, err);
    if (fd < 0) return fd;
    *l = (struct log){.path = mem_strdup(path), .fd = fd, .level = level, .stamp_s = -1};
    return 0;
}

int log_reopen(struct log *l, struct error *err) {
    log_flush(l);
    int fd = open_path(l->path, err);
    if (fd < 0) return fd;
    if (l->fd != STDERR_FILENO) close(l->fd);
    l->fd = fd;
    return 0;
}

void log_close(struct log *l) {
    if (l->path == NULL) return;
    log_flush(l);
    if (l->fd != STDERR_FILENO) close(l->fd);
    free(l->path);
    buf_deinit(&l->pending);
    *l = (struct log){.fd = -1};
}

void log_line(struct log *l, enum log_level level, long long now_ms, const char *id,
              const char *format, ...) {
    if (level < l->level) return;
    long long second = now_ms / 1000;
    if (second != l->stamp_s) {
        time_t t = (time_t)second;
        struct tm local;
        localtime_r(&t, &local);
        strftime(l->stamp, sizeof l->stamp, "%Y-%m-%d %H:%M:%S", &local);
        l->stamp_s = second;
    }
    buf_addf(&l->pending, "%s:%s,%03d:%s:", names[level], l->stamp, (int)(now_ms % 1000), id);

    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?'; // a device's text cannot forge a line
    buf_adds(&l->pending, text);
    buf_adds(&l->pending, "\n");
}

void log_flush(struct log *l) {
    size_t done = 0;
    while (done < l->pending.len) {
        ssize_t n = write(l->fd, l->pending.data + done, l->pending.len - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            if (!l->failed) fprintf(stderr, "log %s: %s\n", l->path, strerror(errno));
            l->failed = true;
            break;
        }
        l->failed = false;
        done += (size_t)n;
    }
    // What cannot be written is dropped: a full disk must not stop an upgrade that is under way.
    buf_clear(&l->pending);
}
