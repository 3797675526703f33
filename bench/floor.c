// The floor of the bench: the same requests to the same devices as an upgrade by the orchestrator,
// byte for byte, by a client that decides nothing. An answer is whatever comes up to a LF, and is
// not looked at; the next request was made beforehand. So there is no JSON to parse, no memory to
// allocate, no timer and no schedule: a worker walks through a redundancy group, then through the
// next that nobody has taken. What the orchestrator costs above this is what its judgement costs.
//
// Every device is taken to need the install. A failure ends its group; nothing is tried twice.
#include "common/acmeos.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/inventory_parse.h"
#include "common/json.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/rpc.h"
#include "orchestrator/policy_grouping.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WORKERS_MAX = 1000 * 1000,
    DESCRIPTORS_SPARE = 16,
    EVENTS_MAX = 1024,
    REPLY_MAX = 4096,  // a longer answer is read in pieces
    MESSAGES_MAX = 10, // failures that are told one by one
};

enum step { LOGIN, GET_VERSION, INSTALL, VERIFY, LOGOUT, STEPS };

static const char *const methods[STEPS] = {"login", "get_version", "install_os_version",
                                           "get_version", "logout"};

enum { DONE = 1, CLOSED_EARLY = 2 }; // beside 0 and a negative errno

struct target {
    struct sockaddr_in address;
    uint32_t name_at, name_len; // in names: as a JSON string, quotes included
};

struct worker {
    uint32_t at, end; // targets: the one in hand, and where its group ends
    int fd;
    uint8_t step;
    bool connecting;
};

struct floor {
    // Made beforehand. Targets stand group by group; group_ends says where each ends.
    struct target *targets;
    size_t devices;
    uint32_t *group_ends;
    size_t groups;
    struct buf names;
    struct buf requests[STEPS];
    size_t login_name_at; // where a login's request takes the device's name
    // What changes.
    struct worker *workers;
    size_t workers_count, busy, next_group;
    size_t completed, failed;
    int epoll;
};

struct config {
    const char *inventory, *version;
    unsigned long workers;
};

// --- the measured part

// The login is put together from its two halves and the name; the others are sent as they are.
static int send_request(struct floor *f, const struct worker *w) {
    const struct buf *request = &f->requests[w->step];
    char login[RPC_LINE_MAX];
    const char *data = request->data;
    size_t len = request->len;
    if (w->step == LOGIN) {
        const struct target *t = &f->targets[w->at];
        size_t head = f->login_name_at;
        memcpy(login, data, head);
        memcpy(login + head, f->names.data + t->name_at, t->name_len);
        memcpy(login + head + t->name_len, data + head, len - head);
        data = login;
        len += t->name_len;
    }
    ssize_t sent = send(w->fd, data, len, MSG_NOSIGNAL);
    if (sent < 0) return -errno;
    return (size_t)sent == len ? 0 : -EMSGSIZE; // an empty socket takes a line whole
}

// Over loopback the handshake is mostly over when connect() says that it is under way. The login is
// then taken at once, and the socket is registered once, for reading.
static int begin(struct floor *f, struct worker *w) {
    const struct target *t = &f->targets[w->at];
    const int on = 1;
    w->step = LOGIN;
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (w->fd < 0) return -errno;
    if (setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) return -errno;
    int rc = connect(w->fd, (const struct sockaddr *)&t->address, sizeof t->address);
    if (rc != 0 && errno != EINPROGRESS) return -errno;
    rc = send_request(f, w);
    w->connecting = rc == -EAGAIN;
    if (rc != 0 && !w->connecting) return rc;
    struct epoll_event event = {.events = w->connecting ? EPOLLOUT : EPOLLIN, .data.ptr = w};
    return epoll_ctl(f->epoll, EPOLL_CTL_ADD, w->fd, &event) == 0 ? 0 : -errno;
}

static int on_connected(struct floor *f, struct worker *w) {
    int rc = send_request(f, w);
    if (rc != 0) return rc == -EAGAIN ? 0 : rc;
    w->connecting = false;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};
    return epoll_ctl(f->epoll, EPOLL_CTL_MOD, w->fd, &event) == 0 ? 0 : -errno;
}

static int on_answer(struct floor *f, struct worker *w) {
    char reply[REPLY_MAX];
    ssize_t len = recv(w->fd, reply, sizeof reply, 0);
    if (len < 0) return errno == EAGAIN ? 0 : -errno;
    if (len == 0) return CLOSED_EARLY;
    if (memchr(reply, '\n', (size_t)len) == NULL) return 0;
    if (++w->step == STEPS) return DONE;
    return send_request(f, w);
}

static void fail(struct floor *f, struct worker *w, int rc) {
    const struct target *t = &f->targets[w->at];
    if (f->failed++ < MESSAGES_MAX)
        fprintf(stderr, "floor: %.*s: %s: %s\n", (int)t->name_len, f->names.data + t->name_at,
                methods[w->step],
                rc == CLOSED_EARLY ? "connection closed by the device" : strerror(-rc));
    w->at = w->end; // the rest of the group is left alone
}

// The next device of the worker's group, or of the next group; or the worker's work is done.
static void go_on(struct floor *f, struct worker *w) {
    for (;;) {
        if (w->at == w->end) {
            if (f->next_group == f->groups) {
                f->busy--;
                return;
            }
            w->at = f->next_group == 0 ? 0 : f->group_ends[f->next_group - 1];
            w->end = f->group_ends[f->next_group++];
        }
        int rc = begin(f, w);
        if (rc == 0) return;
        fail(f, w, rc);
        if (w->fd >= 0) close(w->fd);
    }
}

static void on_event(struct floor *f, struct worker *w) {
    int rc = w->connecting ? on_connected(f, w) : on_answer(f, w);
    if (rc == 0) return;
    if (rc == DONE) {
        f->completed++;
        w->at++;
    } else {
        fail(f, w, rc);
    }
    close(w->fd);
    go_on(f, w);
}

// A worker has one socket, and so one event at most among those that were waited for: none of them
// can speak of a socket that another of them has closed.
static void run(struct floor *f) {
    struct epoll_event events[EVENTS_MAX];
    f->busy = f->workers_count;
    for (size_t i = 0; i < f->workers_count; i++)
        go_on(f, &f->workers[i]);
    while (f->busy > 0) {
        int count = epoll_wait(f->epoll, events, EVENTS_MAX, -1);
        assert(count >= 0 || errno == EINTR);
        for (int i = 0; i < count; i++)
            on_event(f, events[i].data.ptr);
    }
}

// --- before it

static size_t on_bytes(char *data, size_t size, size_t count, void *arg) {
    buf_add(arg, data, size * count);
    return size * count;
}

static int get(const char *url, struct buf *body, struct error *err) {
    CURL *curl = curl_easy_init();
    if (curl == NULL) return error_set(err, "%.200s: libcurl would not start", url);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    CURLcode rc = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    return rc == CURLE_OK ? 0 : error_set(err, "%.200s: %s", url, curl_easy_strerror(rc));
}

static int load_inventory(const char *url, struct inventory **out, struct error *err) {
    struct buf text = {0};
    cJSON *document = NULL;
    int rc = get(url, &text, err);
    if (rc == 0) rc = json_parse(text.data, text.len, &document, err);
    if (rc == 0) rc = inventory_parse(document, out, err);
    cJSON_Delete(document);
    buf_deinit(&text);
    return rc;
}

static int add_target(struct floor *f, const struct host *host, struct error *err) {
    struct target *t = &f->targets[f->devices++];
    t->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(host->port)};
    if (inet_pton(AF_INET, host->address, &t->address.sin_addr) != 1)
        return error_set(err, "%.100s: %.100s is not an IPv4 address", host->name, host->address);
    t->name_at = (uint32_t)f->names.len;
    buf_add_json(&f->names, host->name);
    t->name_len = (uint32_t)f->names.len - t->name_at;
    return 0;
}

static int plan_targets(struct floor *f, const char *url, struct error *err) {
    struct inventory *inventory = NULL;
    int rc = load_inventory(url, &inventory, err);
    if (rc != 0) return rc;
    struct selection selection = {0};
    struct grouping grouping = {0};
    struct policy policy;
    const struct filter all = {.all = true};
    rc = inventory_select(inventory, &all, &all, &selection, err);
    if (rc == 0) {
        policy_default(&policy);
        rc = policy_grouping(&grouping, &policy, inventory, &selection, err);
        policy_deinit(&policy);
    }
    if (rc == 0) {
        f->targets = mem_array(grouping.hosts, sizeof *f->targets);
        f->group_ends = mem_array(grouping.cohorts_count, sizeof *f->group_ends);
    }
    for (size_t i = 0; rc == 0 && i < grouping.hosts; i++)
        rc = add_target(f, &inventory->hosts[grouping.order[i]], err);
    for (size_t g = 0; rc == 0 && g < grouping.cohorts_count; g++)
        f->group_ends[f->groups++] = grouping.cohorts[g].first + grouping.cohorts[g].count;
    grouping_deinit(&grouping);
    selection_deinit(&selection);
    inventory_unref(inventory);
    return rc;
}

// As the orchestrator's session writes them; the login lacks the device's name.
static void plan_requests(struct floor *f, const char *version) {
    static const char before[] = "{\"hostname\": ";
    static const char after[] = ", \"username\": \"admin\", \"password\": \"admin\"}";
    struct buf params[STEPS] = {0};
    buf_adds(&params[LOGIN], before);
    buf_adds(&params[LOGIN], after);
    buf_addf(&params[INSTALL], "{\"version\": \"%s\"}", version);
    for (int step = 0; step < STEPS; step++) {
        rpc_write_request(&f->requests[step], (uint32_t)step + 1, methods[step], params[step].data);
        buf_deinit(&params[step]);
    }
    const char *login = f->requests[LOGIN].data;
    f->login_name_at = (size_t)(strstr(login, before) - login) + strlen(before);
}

static int plan(struct floor *f, const struct config *config, struct error *err) {
    int rc = plan_targets(f, config->inventory, err);
    if (rc != 0) return rc;
    plan_requests(f, config->version);
    f->workers_count = config->workers < f->groups ? config->workers : f->groups;
    f->workers = mem_array(f->workers_count, sizeof *f->workers);
    rc = limits_descriptors(f->workers_count + DESCRIPTORS_SPARE, err);
    if (rc != 0) return rc;
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    return f->epoll >= 0 ? 0 : error_system(err, -errno, "epoll_create1");
}

static void unplan(struct floor *f) {
    if (f->epoll >= 0) close(f->epoll);
    for (int step = 0; step < STEPS; step++)
        buf_deinit(&f->requests[step]);
    buf_deinit(&f->names);
    free(f->workers);
    free(f->group_ends);
    free(f->targets);
}

// --- the program

static double cpu_s(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

// Here --version says what to install, so that the table of common/options.h does not fit.
static bool parse_options(struct config *config, int argc, char **argv) {
    static const struct option options[] = {{"inventory", required_argument, NULL, 'i'},
                                            {"version", required_argument, NULL, 'v'},
                                            {"workers", required_argument, NULL, 'w'},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        char *end = NULL;
        switch (option) {
        case 'i':
            config->inventory = optarg;
            break;
        case 'v':
            config->version = optarg;
            break;
        case 'w':
            config->workers = strtoul(optarg, &end, 10);
            if (*end != '\0') return false;
            break;
        default:
            return false;
        }
    }
    return optind == argc && config->inventory != NULL && config->version != NULL &&
           acmeos_version_valid(config->version) && config->workers >= 1 &&
           config->workers <= WORKERS_MAX;
}

int main(int argc, char **argv) {
    mem_init();
    struct config config = {.workers = 100};
    if (!parse_options(&config, argc, argv)) {
        fprintf(stderr, "usage: floor --inventory URL --version X.Y.Z [--workers 1..%d]\n",
                WORKERS_MAX);
        return 2;
    }
    struct floor f = {.epoll = -1};
    struct error err;
    if (plan(&f, &config, &err) != 0) {
        fprintf(stderr, "floor: %s\n", err.text);
        unplan(&f);
        return EXIT_FAILURE;
    }
    double wall = clock_monotonic_s(), cpu = cpu_s();
    run(&f);
    cpu = cpu_s() - cpu;
    wall = clock_monotonic_s() - wall;
    if (f.failed > MESSAGES_MAX) fprintf(stderr, "floor: and %zu more\n", f.failed - MESSAGES_MAX);
    printf("{\"devices\": %zu, \"completed\": %zu, \"failed\": %zu, \"wall_s\": %.6f, "
           "\"cpu_s\": %.6f}\n",
           f.devices, f.completed, f.failed, wall, cpu);
    bool all = f.completed == f.devices;
    unplan(&f);
    return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
