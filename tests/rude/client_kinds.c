// None of them says anything that a program would act upon: no job, no fault, no reset, no login.
#include "tests/rude/client_kinds.h"

#include "common/count.h"

#define API     (1U << CLIENT_API)
#define ADMIN   (1U << CLIENT_ADMIN)
#define DEVICES (1U << CLIENT_DEVICES)
#define HTTP    (API | ADMIN)
#define ALL     (HTTP | DEVICES)

#define WAIT  DO(WAIT)
#define STALL DO(STALL)
#define SIP   DO(SIP)
#define READ  DO(READ)
#define CLOSE DO(CLOSE)
#define RESET DO(RESET)
#define SHUT  DO(SHUT)

#define HOST         "Host: localhost\r\n"
#define GET(path)    "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST(path)   "POST " path " HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
#define LENGTH(text) "Content-Length: " text "\r\n"
#define CALL(method) "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"" method "\"}\n"

#define STATUS(code)      "HTTP/1.1 " code " "
#define REFUSAL(id, code) "{\"jsonrpc\": \"2.0\", \"id\": " id ", \"error\": {\"code\": " code

#define CLIENT_HELLO                                                                               \
    "\x16\x03\x01\x00\x35\x01\x00\x00\x31\x03\x03"                                                 \
    "0123456789abcdef0123456789abcdef"                                                             \
    "\x00\x00\x04\x13\x01\x00\xff\x01\x00\x00\x04\x00\x17\x00\x00"
#define HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

const struct client_kind client_kinds[] = {
    // --- silent, or gone
    {"says nothing", ALL, ACTS(WAIT), .weight = 4, .ended = API},
    {"closes at once", ALL, ACTS(CLOSE), .weight = 40},
    {"resets at once", ALL, ACTS(RESET), .weight = 40},
    {"shuts its side at once", ALL, ACTS(SHUT, WAIT), .weight = 4},

    // --- slow
    {"drips a head", HTTP, ACTS(DRIP(30), SAY("GET /livez HTTP/1.1\r\n" HOST), FLOOD("X-A: b\r\n")),
     .weight = 4, .ended = API},
    {"drips a body to the API", API,
     ACTS(SAY(POST("/upgrade-os/") LENGTH("1000") "\r\n"), DRIP(30), FLOOD(" ")), .weight = 4,
     .ended = API},
    {"drips a body to the admin API", ADMIN,
     ACTS(SAY(POST("/faults/") LENGTH("1000") "\r\n"), DRIP(30), FLOOD(" ")), .weight = 4},
    {"keeps a connection", HTTP, ACTS(SAY(GET("/livez")), WAIT), .weight = 4, .ended = API,
     .answer = STATUS("200")},

    // --- it does not take its answers
    {"takes nothing of the pages", API,
     ACTS(TIMES(50, GET("/swagger/") GET("/docs/") GET("/")), STALL), .weight = 4,
     .takes_little = true},
    {"takes nothing of the metrics", HTTP, ACTS(TIMES(200, GET("/metrics/")), STALL), .weight = 4,
     .takes_little = true},
    {"takes nothing of the hosts", API, ACTS(TIMES(3, GET("/hosts/")), STALL), .weight = 1,
     .takes_little = true},
    {"takes a little of the hosts and resets", API, ACTS(TIMES(2, GET("/hosts/")), READ, RESET),
     .weight = 4, .answer = STATUS("200")},
    {"takes nothing of the devices", ADMIN,
     ACTS(TIMES(3, GET("/devices/") GET("/inventory/")), STALL), .weight = 1, .takes_little = true},
    {"takes nothing of the answers of devices", DEVICES,
     ACTS(TIMES(10000, CALL("get_version")), STALL), .weight = 1, .takes_little = true},
    {"sips", API, ACTS(SAY(GET("/swagger/")), SIP), .weight = 4, .takes_little = true,
     .answer = STATUS("200")},
    {"sips devices", ADMIN, ACTS(SAY(GET("/devices/")), SIP), .weight = 2, .takes_little = true,
     .answer = STATUS("200")},
    {"follows and takes nothing", API, ACTS(SAY(GET("/events/")), READ, STALL), .weight = 0,
     .takes_little = true, .stays = true,
     .log = ":events:a client was let go that has not taken " CLIENT_BACKLOG " of what happened"},
    {"follows and resets", API, ACTS(SAY(GET("/events/")), READ, RESET), .weight = 4,
     .answer = STATUS("200")},
    {"follows and shuts its side", API, ACTS(SAY(GET("/events/")), READ, SHUT, WAIT), .weight = 2},
    {"waits for events", ADMIN, ACTS(SAY(GET("/events/?after=1000000&wait=60s")), WAIT),
     .weight = 4},
    {"waits for events and resets", ADMIN, ACTS(SAY(GET("/events/?after=1000000&wait=60s")), RESET),
     .weight = 4},

    // --- too much
    {"pipelines 1,000 requests", HTTP, ACTS(TIMES(1000, GET("/livez")), WAIT), .weight = 1,
     .answer = STATUS("200")},
    {"pipelines 1,000 requests and resets", HTTP, ACTS(TIMES(1000, GET("/metrics/")), RESET),
     .weight = 1},
    {"pipelines 1,000 requests and takes nothing", HTTP, ACTS(TIMES(1000, GET("/livez")), STALL),
     .weight = 1, .takes_little = true},
    {"has a request line without end", HTTP, ACTS(SAY("GET /"), FLOOD("a")), .weight = 1,
     .ended = API},
    {"has a header without end", HTTP,
     ACTS(SAY("GET /livez HTTP/1.1\r\n" HOST "X-A: "), FLOOD("b")), .weight = 1},
    {"has headers without end", HTTP,
     ACTS(SAY("GET /livez HTTP/1.1\r\n" HOST), FLOOD("X-A: b\r\n")), .weight = 1, .ended = API},
    {"has 10,000 headers", HTTP,
     ACTS(SAY("GET /livez HTTP/1.1\r\n" HOST), TIMES(10000, "X-A: b\r\n"), SAY("\r\n"), WAIT),
     .weight = 1, .answer = STATUS("431")},
    {"has chunks without end", API,
     ACTS(SAY(POST("/upgrade-os/") "Transfer-Encoding: chunked\r\n\r\n"), FLOOD("5\r\nhello\r\n")),
     .weight = 1},
    {"has a chunk's size without end", API,
     ACTS(SAY(POST("/upgrade-os/") "Transfer-Encoding: chunked\r\n\r\n"), FLOOD("0")), .weight = 1},
    {"has a large body", API,
     ACTS(SAY(POST("/upgrade-os/") LENGTH("2000000") "\r\n"), TIMES(200000, "0123456789"), WAIT),
     .weight = 1, .answer = STATUS("413")},
    {"nests arrays in its body", API,
     ACTS(SAY(POST("/upgrade-os/") LENGTH("20000") "\r\n"), TIMES(10000, "["), TIMES(10000, "]"),
          WAIT),
     .weight = 1, .answer = STATUS("400")},
    {"nests arrays in a fault", ADMIN,
     ACTS(SAY(POST("/faults/") LENGTH("20000") "\r\n"), TIMES(10000, "["), TIMES(10000, "]"), WAIT),
     .weight = 1, .answer = STATUS("400")},

    // --- half
    {"sends half a head and resets", HTTP, ACTS(SAY("GET /metr"), RESET), .weight = 10},
    {"sends half a head and shuts its side", HTTP, ACTS(SAY("GET /metr"), SHUT, WAIT), .weight = 4,
     .ended = API},
    {"sends half a body and resets", API,
     ACTS(SAY(POST("/upgrade-os/") LENGTH("1000") "\r\n{\"version\": "), RESET), .weight = 10},
    {"sends half a body and shuts its side", API,
     ACTS(SAY(POST("/upgrade-os/") LENGTH("1000") "\r\n{\"version\": "), SHUT, WAIT), .weight = 4,
     .ended = API},
    {"sends half a fault and shuts its side", ADMIN,
     ACTS(SAY(POST("/faults/") LENGTH("1000") "\r\n[{\"match\": "), SHUT, WAIT), .weight = 4},
    {"asks and shuts its side", HTTP, ACTS(SAY(GET("/metrics/")), SHUT, WAIT), .weight = 4,
     .ended = API, .answer = STATUS("200")},
    {"asks and closes", HTTP, ACTS(SAY(GET("/metrics/")), CLOSE), .weight = 10},
    {"asks for one connection each time", HTTP,
     ACTS(SAY("GET /livez HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), WAIT), .weight = 40,
     .answer = STATUS("200")},
    {"expects 100-continue and sends nothing", API,
     ACTS(SAY(POST("/upgrade-os/") LENGTH("20") "Expect: 100-continue\r\n\r\n"), WAIT), .weight = 4,
     .ended = API, .answer = STATUS("100")},
    {"expects 100-continue of the admin API", ADMIN,
     ACTS(SAY(POST("/faults/") LENGTH("20") "Expect: 100-continue\r\n\r\n"), WAIT), .weight = 4,
     .answer = STATUS("100")},

    // --- wrong
    {"says a length that is too small", API,
     ACTS(SAY(POST("/upgrade-os/") LENGTH("2") "\r\n{}{\"version\": \"1\"}" GET("/livez")), WAIT),
     .weight = 2, .answer = STATUS("400")},
    {"says two lengths", API,
     ACTS(SAY(POST("/upgrade-os/") LENGTH("2") LENGTH("20") "\r\n{}"), WAIT), .weight = 2,
     .answer = STATUS("400")},
    {"says a length and chunks", API,
     ACTS(SAY(POST("/upgrade-os/")
                  LENGTH("2") "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
          WAIT),
     .weight = 2, .answer = STATUS("400")},
    {"says a length below zero", API, ACTS(SAY(POST("/upgrade-os/") LENGTH("-1") "\r\n{}"), WAIT),
     .weight = 2, .ended = API, .answer = STATUS("400")},
    {"says a length of 64 bits", API,
     ACTS(SAY(POST("/upgrade-os/") LENGTH("18446744073709551617") "\r\n{}"), WAIT), .weight = 2,
     .answer = STATUS("413")},
    {"makes noise", ALL, ACTS(NOISE(1000), WAIT), .weight = 8},
    {"speaks TLS", ALL, ACTS(SAY(CLIENT_HELLO), WAIT), .weight = 4, .ended = API},
    {"speaks HTTP/2", ALL, ACTS(SAY(HTTP2_PREFACE), WAIT), .weight = 4, .ended = API},
    {"speaks HTTP/0.9", ALL, ACTS(SAY("GET /\r\n"), WAIT), .weight = 4, .ended = API},
    {"speaks SSH", ALL, ACTS(SAY("SSH-2.0-Go\r\n"), WAIT), .weight = 4},
    {"speaks RDP", ALL,
     ACTS(SAY("\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"),
          WAIT),
     .weight = 4},
    {"speaks SOCKS", ALL, ACTS(SAY("\x05\x02\x00\x02"), WAIT), .weight = 4, .ended = API},
    {"speaks Redis", ALL, ACTS(SAY("*1\r\n$4\r\nPING\r\n"), WAIT), .weight = 4},
    {"wants to be a WebSocket", HTTP,
     ACTS(SAY("GET /events/ HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
          WAIT),
     .weight = 2, .answer = STATUS("200")},
    {"takes it for a proxy", HTTP,
     ACTS(SAY("CONNECT 127.0.0.1:1 HTTP/1.1\r\n" HOST "\r\n" GET("http://192.0.2.1/")), WAIT),
     .weight = 2, .answer = STATUS("404")},
    {"takes it for another host", HTTP,
     ACTS(SAY("GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n"), WAIT), .weight = 2,
     .answer = STATUS("421")},
    {"brews coffee", HTTP, ACTS(SAY("BREW /livez HTTP/1.1\r\n" HOST "\r\n"), WAIT), .weight = 2,
     .ended = API, .answer = STATUS("405")},
    {"looks for files", HTTP,
     ACTS(SAY(GET("/../../etc/passwd") GET("/%2e%2e/%00") GET("//livez//")), WAIT), .weight = 2,
     .answer = STATUS("404")},
    {"sends NULs", ALL, ACTS(TIMES(1000, "\0\0\0\0"), SAY("\n"), WAIT), .weight = 2},
    {"sends a NUL in a head", HTTP,
     ACTS(SAY("GET /livez\0/ HTTP/1.1\r\n" HOST "X: \0\r\n\r\n"), WAIT), .weight = 2, .ended = API,
     .answer = STATUS("400")},
    {"sends bare CRs", ALL,
     ACTS(TIMES(100, "GET / HTTP/1.1\r"
                     "Host: localhost\r\r"),
          WAIT),
     .weight = 2},
    {"sends what is not UTF-8", ALL, ACTS(TIMES(100, "\xff\xfe\xc0\xaf\n"), WAIT), .weight = 2},
    {"urges", ALL,
     ACTS(SAY("GET /li"), URGE("!"), SAY("vez HTTP/1.1\r\n" HOST "\r\n"), URGE("?"), WAIT),
     .weight = 4},

    // --- on the port of the devices
    {"sends half a line and resets", DEVICES, ACTS(SAY("{\"jsonrpc\": \"2.0\", "), RESET),
     .weight = 10},
    {"sends half a line and shuts its side", DEVICES,
     ACTS(SAY("{\"jsonrpc\": \"2.0\", "), SHUT, WAIT), .weight = 4},
    {"sends a line without end", DEVICES, ACTS(FLOOD("x")), .weight = 1},
    {"sends empty lines without end", DEVICES, ACTS(FLOOD("\n")), .weight = 1},
    {"sends calls without end", DEVICES, ACTS(FLOOD(CALL("get_version"))), .weight = 1,
     .takes_little = true},
    {"sends calls without id", DEVICES,
     ACTS(TIMES(1000, "{\"jsonrpc\": \"2.0\", \"method\": \"get_version\"}\n"), WAIT), .weight = 2},
    {"nests arrays in a call", DEVICES,
     ACTS(TIMES(10000, "["), SAY("\n"), TIMES(10000, "{\"a\":"), SAY("\n"), WAIT), .weight = 2,
     .answer = REFUSAL("null", "-32700")},
    {"sends a batch", DEVICES,
     ACTS(TIMES(100, "[{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"login\"}]\n"), WAIT),
     .weight = 2, .answer = REFUSAL("null", "-32600")},
    {"installs without a login", DEVICES,
     ACTS(SAY("{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"install_os_version\", \"params\": "
              "{\"version\": \"6.6.6\"}}\n"),
          WAIT),
     .weight = 2, .answer = REFUSAL("1", "-32002")},
    {"guesses a password", DEVICES,
     ACTS(TIMES(3, "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"login\", \"params\": "
                   "{\"hostname\": \"edge00.earth\", "
                   "\"username\": \"admin\", \"password\": \"1234\"}}\n"),
          WAIT),
     .weight = 4, .answer = REFUSAL("1", "-32001")},
    {"guesses a host", DEVICES,
     ACTS(TIMES(3, "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"login\", \"params\": "
                   "{\"hostname\": \"edge9999.earth\", "
                   "\"username\": \"admin\", \"password\": \"admin\"}}\n"),
          WAIT),
     .weight = 4, .answer = REFUSAL("1", "-32003")},
};

const size_t client_kinds_count = COUNT(client_kinds);
