// The simulator's end of the wire: four connections with a small world, on a made-up clock. The
// first line holds fault rules in JSON, or nothing. What follows is sent, but for the bytes that
// stand for something else:
//   1..4  from here on it is sent on that connection   5  the call that is due next is over
//   6     the client has shut down its sending side    7  the connection is lost, another begins
#include "simulator/console.h"
#include "common/line.h"
#include "tests/fuzz/fuzz.h"

enum { WIRES = 4, OVER = 5, ENDS = 6, LOST = 7 };

struct wire {
    struct console console;
    struct line_reader reader;
    struct buf pending; // what came while a call ran
    uint64_t due_us;
    bool calling, closed;
};

static struct network network;
static struct world world;
static struct wire wires[WIRES];
static uint64_t now_us;

static void open_wire(struct wire *w) {
    *w = (struct wire){0};
    console_init(&w->console, &world);
    line_reader_init(&w->reader, RPC_LINE_MAX, RPC_DROP_MAX);
}

static void free_wire(struct wire *w) {
    console_forget(&w->console, now_us);
    line_reader_deinit(&w->reader);
    buf_deinit(&w->pending);
}

static void hang_up(struct wire *w) {
    if (w->closed) return;
    w->closed = true;
    if (!console_drop(&w->console, now_us)) w->calling = false;
}

// Whole lines, and JSON-RPC, as long as no fault says otherwise.
static void check_reply(const struct console_reply *reply) {
    if (reply->out.len == 0 || world.faults.last_id > 0) return;
    assert(reply->out.len <= RPC_LINE_MAX);
    const char *lf = memchr(reply->out.data, '\n', reply->out.len);
    assert(lf == reply->out.data + reply->out.len - 1);
    cJSON *json = fuzz_json_of(reply->out.data, reply->out.len - 1);
    assert(cJSON_HasObjectItem(json, "result") != cJSON_HasObjectItem(json, "error"));
    assert(cJSON_HasObjectItem(json, "id") && cJSON_GetArraySize(json) == 3);
    cJSON_Delete(json);
}

static void take_reply(struct wire *w, struct console_reply *reply) {
    check_reply(reply);
    buf_deinit(&reply->out);
    if (reply->end != CONSOLE_STAYS) hang_up(w);
}

static void go_on(struct wire *w) {
    while (!w->closed && !w->calling) {
        const char *line;
        size_t len;
        struct console_begun begun = {0};
        enum line_status status = line_reader_next(&w->reader, &line, &len);
        if (status == LINE_NONE) break;
        if (status == LINE_TOO_LONG)
            begun.reply = console_line_too_long(&w->console);
        else
            begun = console_begin(&w->console, now_us, line, len);
        w->calling = begun.runs;
        w->due_us = now_us + begun.wait_us;
        if (!w->calling) take_reply(w, &begun.reply);
    }
}

// The reader keeps pointing into pending, so that is fed at once and emptied only when used up.
static void take_pending(struct wire *w) {
    if (w->closed || w->calling || w->pending.len == 0) return;
    struct buf data = w->pending;
    w->pending = (struct buf){0};
    line_reader_feed(&w->reader, data.data, data.len);
    go_on(w);
    if (w->reader.left > 0)
        buf_add(&w->pending, data.data + data.len - w->reader.left, w->reader.left);
    buf_deinit(&data);
}

static void finish(struct wire *w) {
    if (now_us < w->due_us) now_us = w->due_us;
    w->calling = false;
    struct console_reply reply = console_finish(&w->console, now_us);
    for (struct console *s; (s = console_condemned(&world)) != NULL;)
        for (int i = 0; i < WIRES; i++)
            if (&wires[i].console == s) hang_up(&wires[i]);
    if (w->closed)
        buf_deinit(&reply.out);
    else
        take_reply(w, &reply);
    take_pending(w);
}

static bool finish_next(void) {
    struct wire *next = NULL;
    for (int i = 0; i < WIRES; i++)
        if (wires[i].calling && (next == NULL || wires[i].due_us < next->due_us)) next = &wires[i];
    if (next != NULL) finish(next);
    return next != NULL;
}

static struct wire *take_byte(struct wire *w, uint8_t byte) {
    if (byte >= 1 && byte <= WIRES) return &wires[byte - 1];
    switch (byte) {
    case OVER:
        finish_next();
        break;
    case ENDS:
        if (!w->closed && !w->calling) console_no_more_requests(&w->console, now_us);
        break;
    case LOST:
        hang_up(w);
        if (w->calling) break; // an install runs on without it
        free_wire(w);
        open_wire(w);
        break;
    default:
        if (!w->closed) buf_add(&w->pending, (const char *)&byte, 1);
        if (byte == '\n') take_pending(w);
    }
    return w;
}

static void check_world(void) {
    uint32_t in_states = 0, logged_in = 0;
    for (int i = 0; i < DEVICE_STATE_COUNT; i++)
        in_states += world.states[i];
    assert(in_states == network.devices);
    for (uint32_t i = 0; i < network.devices; i++)
        for (const struct console *s = world.devices[i].consoles; s != NULL; s = s->next) {
            assert(s->state != CONSOLE_GONE && s->device == i);
            assert(s->client.epoch <= ACMEOS_EPOCH_MAX || s->client.epoch == ACMEOS_NO_EPOCH);
            assert(s->login == 0 || s->client.epoch >= world.devices[i].epoch);
            logged_in++;
        }
    assert(logged_in <= WIRES && world.referee.in_flight <= logged_in);
    struct buf text = {0};
    referee_write(&world.referee, true, &text);
    fuzz_is_json(text.data, text.len);
    buf_clear(&text);
    struct journal_reader reader;
    journal_read(&reader, &world.journal, &network, 0);
    while (journal_next(&reader, &text))
        ;
    fuzz_is_json(text.data, text.len);
    buf_deinit(&text);
}

static void set_up(const uint8_t *rules, size_t size) {
    struct error err;
    cJSON *json = NULL;
    network_init(&network);
    int rc = network_add_site(&network, "earth", &err);
    if (rc == 0) rc = network_add_type(&network, "leaf", 4, 100, 2, &err);
    if (rc == 0) rc = network_add_type(&network, "spine", 2, 20, 2, &err);
    network.epochs = true;
    if (rc == 0) rc = network_seal(&network, &err);
    assert(rc == 0);
    now_us = 0;
    world_init(&world, &network, 1, 1);
    if (size > 0 && json_parse((const char *)rules, size, &json, &err) == 0)
        fault_add(&world.faults, json, &err);
    cJSON_Delete(json);
    for (int i = 0; i < WIRES; i++)
        open_wire(&wires[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    mem_init();
    const uint8_t *lf = size == 0 ? NULL : memchr(data, '\n', size);
    size_t at = lf == NULL ? size : (size_t)(lf - data) + 1;
    set_up(data, lf == NULL ? size : (size_t)(lf - data));
    struct wire *w = &wires[0];
    for (; at < size; at++)
        w = take_byte(w, data[at]);
    check_world();
    while (finish_next())
        continue;
    check_world();
    for (int i = 0; i < WIRES; i++)
        free_wire(&wires[i]);
    world_deinit(&world);
    network_deinit(&network);
    return 0;
}
