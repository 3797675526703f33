#include "common/daemon.h"

#include "common/file.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static int read_ready(struct daemon *d, unsigned patience_s, struct error *err) {
    int rc = process_read_line(&d->process, patience_s, d->ready, sizeof d->ready, err);
    if (rc != 0) return rc;
    const char *url = strstr(d->ready, "http://");
    if (url == NULL) url = strstr(d->ready, "https://");
    if (url == NULL) return error_set(err, "no address in its ready line: %s", d->ready);
    snprintf(d->url, sizeof d->url, "%s", url);
    return 0;
}

// What it said on its way down tells more than that it went.
static void explain(const struct daemon_command *command, struct error *err) {
    struct buf said = {0};
    struct error ignored;
    const char *path = command->process.stderr_path;
    if (path != NULL) file_read(path, &said, &ignored);
    if (said.len > 0) error_set(err, "%.300s", said.data);
    error_from(err, "%s did not start", command->name);
    buf_deinit(&said);
}

int daemon_start(struct daemon *d, const struct daemon_command *command, struct error *err) {
    struct error ignored;
    *d = (struct daemon){.name = command->name, .process.out = -1};
    int rc = process_start(&d->process, &command->process, err);
    if (rc != 0) return rc;
    rc = read_ready(d, command->patience_s, err);
    if (rc == 0) return 0;
    process_end(&d->process, SIGKILL, command->patience_s, NULL, &ignored);
    explain(command, err);
    return rc;
}

int daemon_end(struct daemon *d, int signum, int code, unsigned patience_s, struct error *err) {
    struct process_end how;
    int rc = process_end(&d->process, signum, patience_s, &how, err);
    if (rc != 0) {
        error_from(err, "%s", d->name);
        return rc;
    }
    if (WIFSIGNALED(how.status))
        return error_set(err, "the %s was ended by signal %d (%s)", d->name, WTERMSIG(how.status),
                         strsignal(WTERMSIG(how.status)));
    if (WEXITSTATUS(how.status) != code)
        return error_set(err, "the %s ended with exit code %d", d->name, WEXITSTATUS(how.status));
    return 0;
}
