// Lines gather in l->pending, and log_flush() writes them. Three things can go wrong:
// - The reader of a pipe stalls (EAGAIN). Nothing here blocks: a file that could is opened with
//   O_NONBLOCK. Lines stay pending, up to a limit; beyond it they are lost, and counted.
// - The disk is full, or the reader is gone. That lasts longer than memory could bridge: what is
//   pending is lost at once, but for the end of a line of which the beginning is in the file.
// - The process before this one was killed within a line: ours begins with the end of that line.
// While lines are lost none is taken, so that the line that says how many stands where they were.
#include "common/log.h"

#include "common/clock.h"
#include "common/count.h"
#include "common/mem.h"
#include "common/text.h"
#include "common/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CLOSE_PATIENCE_MS = 1000 };

static const struct {
    const char *name, *word; // in text, and in JSON and on a command line
} levels[] = {{"DEBUG", "debug"}, {"INFO", "info"}, {"WARNING", "warning"}, {"ERROR", "error"}};

int log_level_parse(const char *text, enum log_level *level, struct error *err) {
    for (size_t i = 0; i < COUNT(levels); i++) {
        if (strcasecmp(text, levels[i].word) != 0) continue;
        *level = (enum log_level)i;
        return 0;
    }
    return error_set(err, "'%.40s' is not a level: debug, info, warning or error", text);
}

int log_format_parse(const char *text, enum log_format *format, struct error *err) {
    static const char *const words[] = {"text", "json"};
    for (size_t i = 0; i < COUNT(words); i++) {
        if (strcmp(text, words[i]) != 0) continue;
        *format = (enum log_format)i;
        return 0;
    }
    return error_set(err, "'%.40s' is not a format: text or json", text);
}

// --- the file

static bool is_kind(int fd, mode_t kind) {
    struct stat status;
    return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

// What stderr is was opened by others, who may share it: a pipe or a terminal is opened anew, so
// that only our own writes do not block. A socket is asked not to with every write; and where there
// is no /proc, so is a pipe (write_some).
static void open_stderr(struct log *l) {
    l->fd = STDERR_FILENO;
    l->ours = false;
    if (!is_kind(STDERR_FILENO, S_IFIFO) && !is_kind(STDERR_FILENO, S_IFCHR)) return;
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return;
    l->fd = fd;
    l->ours = true;
}

// A FIFO is opened for reading, too: so it needs no reader, and has no end when one leaves.
static int open_path(struct log *l, const char *path, struct error *err) {
    struct stat status;
    bool fifo = stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
    int flags = (fifo ? O_RDWR : O_WRONLY | O_CREAT | O_APPEND) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = open(path, flags, 0644);
    if (fd < 0) return error_system(err, -errno, "%s", path);
    l->fd = fd;
    l->ours = true;
    return 0;
}

// A line that was cut off, by a kill or by a full disk, is not continued by ours.
static void end_torn_line(struct log *l) {
    char last = '\n';
    int fd = is_kind(l->fd, S_IFREG) ? open(l->path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    off_t size = lseek(fd, 0, SEEK_END);
    l->mid_line = size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
    if (l->mid_line) buf_adds(&l->pending, "\n");
    close(fd);
}

static int open_log(struct log *l, struct error *err) {
    int rc = 0;
    if (strcmp(l->path, "-") == 0)
        open_stderr(l);
    else
        rc = open_path(l, l->path, err);
    if (rc == 0) end_torn_line(l);
    return rc;
}

int log_open(struct log *l, const char *path, enum log_level level, struct error *err) {
    struct log opened = {.path = mem_strdup(path), .fd = -1, .level = level, .stamp_s = -1};
    int rc = open_log(&opened, err);
    if (rc != 0) {
        free(opened.path);
        return rc;
    }
    *l = opened;
    return 0;
}

// --- writing

// Of what is pending, all but the end of a line that has begun in the file is lost.
static void lose_pending(struct log *l) {
    size_t kept = 0;
    if (l->mid_line) kept = (size_t)(strchr(l->pending.data, '\n') - l->pending.data) + 1;
    for (size_t i = kept; i < l->pending.len; i++)
        l->lost += l->pending.data[i] == '\n';
    if (l->pending.len > kept) l->pending.data[l->pending.len = kept] = '\0';
}

static void complain(const struct log *l, int error) {
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (strcmp(l->path, "-") == 0 || poll(&out, 1, 0) != 1) return;
    dprintf(STDERR_FILENO, "log %s: %s: lines are lost until it takes them again\n", l->path,
            strerror(error));
}

// A descriptor of others may block: a pipe or a terminal of theirs takes so much at once as surely
// fits where it takes anything.
static ssize_t write_some(const struct log *l) {
    const struct buf *b = &l->pending;
    struct pollfd out = {.fd = l->fd, .events = POLLOUT};
    if (l->ours || is_kind(l->fd, S_IFREG)) return write(l->fd, b->data, b->len);
    if (is_kind(l->fd, S_IFSOCK)) return send(l->fd, b->data, b->len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (poll(&out, 1, 0) == 1) return write(l->fd, b->data, b->len < PIPE_BUF ? b->len : PIPE_BUF);
    errno = EAGAIN;
    return -1;
}

// True: nothing is pending any more.
static bool drain(struct log *l) {
    while (l->pending.len > 0) {
        ssize_t n = write_some(l);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return false;
        if (n < 0) {
            if (!l->losing) complain(l, errno);
            l->losing = true;
            lose_pending(l);
            return false;
        }
        l->mid_line = l->pending.data[n - 1] != '\n';
        buf_drop(&l->pending, (size_t)n);
    }
    return true;
}

static void add_stamp(struct log *l, enum log_level level, long long now_ms, const char *id) {
    long long second = now_ms / 1000;
    if (second != l->stamp_s) {
        time_t t = (time_t)second;
        struct tm local;
        localtime_r(&t, &local);
        strftime(l->stamp, sizeof l->stamp, "%Y-%m-%d %H:%M:%S", &local);
        l->stamp_s = second;
    }
    buf_addf(&l->pending, "%s:%s,%03d:%s:", levels[level].name, l->stamp, (int)(now_ms % 1000), id);
}

static size_t line_max(const struct log *l) {
    return l->line_max == 0 ? LOG_LINE_MAX : l->line_max;
}

static void add_field(struct buf *out, const struct log_field *field, size_t max) {
    buf_addf(out, ", \"%s\": ", field->name);
    if (field->text == NULL) {
        buf_add_uint(out, field->number);
        return;
    }
    char *line = mem_strndup(field->text, text_cut(field->text, strlen(field->text), max));
    text_line(line);
    buf_add_json(out, line);
    free(line);
}

static void add_object(struct log *l, enum log_level level, long long now_ms,
                       const struct log_field *fields, size_t count) {
    char time[TIMESTAMP_MAX];
    timestamp_format(now_ms, time);
    buf_addf(&l->pending, "{\"time\": \"%s\", \"level\": \"%s\"", time, levels[level].word);
    for (size_t i = 0; i < count; i++)
        add_field(&l->pending, &fields[i], line_max(l));
    buf_adds(&l->pending, "}\n");
}

// Space is back: the first line that is written says what is missing before it. It is no loss
// itself where it cannot be written either.
static void tell_lost(struct log *l) {
    uint64_t told = l->lost, lost = l->lost;
    if (l->format == LOG_JSON) {
        const struct log_field fields[] = {{.name = "event", .text = "log_lines_lost"},
                                           {.name = "lines", .number = l->lost - l->lost_told}};
        add_object(l, LOG_WARNING, clock_wall_ms(), fields, COUNT(fields));
    } else {
        add_stamp(l, LOG_WARNING, clock_wall_ms(), "-");
        buf_addf(&l->pending, "%llu lines of the log were lost\n",
                 (unsigned long long)(l->lost - l->lost_told));
    }
    bool written = drain(l) || l->mid_line || l->pending.len > 0;
    l->lost = lost;
    l->losing = !written;
    if (written) l->lost_told = told;
}

void log_flush(struct log *l) {
    if (drain(l) && l->losing) tell_lost(l);
}

bool log_behind(const struct log *l) {
    return l->losing || l->pending.len > 0;
}

// Whether a line is written; where it is lost it is counted.
static bool takes(struct log *l, enum log_level level) {
    if (level < l->level) return false;
    if (l->losing || l->pending.len > LOG_BACKLOG_MAX) log_flush(l);
    if (l->losing || l->pending.len > LOG_BACKLOG_MAX) {
        l->losing = true;
        l->lost++;
        return false;
    }
    return true;
}

void log_line(struct log *l, enum log_level level, long long now_ms, const char *id,
              const char *format, ...) {
    if (!takes(l, level)) return;
    add_stamp(l, level, now_ms, id);
    const size_t max = line_max(l);
    buf_reserve(&l->pending, max + 1);
    char *text = l->pending.data + l->pending.len;
    va_list args;
    va_start(args, format);
    vsnprintf(text, max + 1, format, args);
    va_end(args);
    text_line(text); // a device's text cannot forge a line
    l->pending.len += strlen(text);
    buf_adds(&l->pending, "\n");
}

void log_object(struct log *l, enum log_level level, long long now_ms,
                const struct log_field *fields, size_t count) {
    if (takes(l, level)) add_object(l, level, now_ms, fields, count);
}

void log_note(struct log *l, enum log_level level, long long now_ms, const char *of,
              const char *text) {
    const struct log_field fields[] = {{.name = "event", .text = of},
                                       {.name = "text", .text = text}};
    if (l->format == LOG_JSON)
        log_object(l, level, now_ms, fields, COUNT(fields));
    else
        log_line(l, level, now_ms, of, "%s", text);
}

// --- the end

int log_reopen(struct log *l, struct error *err) {
    struct log opened = {.path = l->path, .fd = -1};
    log_flush(l);
    int rc = open_log(&opened, err);
    if (rc != 0) return rc;
    if (l->mid_line) { // its beginning is in the old file
        size_t rest = (size_t)(strchr(l->pending.data, '\n') - l->pending.data) + 1;
        buf_drop(&l->pending, rest);
        l->lost++;
        l->losing = true;
    }
    buf_add(&opened.pending, l->pending.data == NULL ? "" : l->pending.data, l->pending.len);
    if (l->ours) close(l->fd);
    buf_deinit(&l->pending);
    l->pending = opened.pending;
    l->mid_line = opened.mid_line;
    l->fd = opened.fd;
    l->ours = opened.ours;
    return 0;
}

void log_close(struct log *l) {
    if (l->path == NULL) return;
    struct pollfd writable = {.fd = l->fd, .events = POLLOUT};
    log_flush(l);
    while (l->pending.len > 0 && !l->losing && poll(&writable, 1, CLOSE_PATIENCE_MS) == 1)
        log_flush(l);
    if (l->ours) close(l->fd);
    free(l->path);
    buf_deinit(&l->pending);
    *l = (struct log){.fd = -1};
}
