// A certificate authority for devices, as long as the process lives: its keys are nowhere else.
#pragma once

#include "common/buf.h"
#include "common/error.h"
#include "common/tls.h"

struct device_ca;

// Its keys, ECDSA P-256, and its own certificate, valid for ten years from yesterday on. An error:
// the system has no random numbers.
int device_ca_new(struct device_ca **out, struct error *err);
void device_ca_free(struct device_ca *ca); // takes NULL

// Its certificate in PEM, and no key.
const struct buf *device_ca_certificate(const struct device_ca *ca);

struct device_certificate {
    const char *const *names; // IP addresses or DNS names; NULL-terminated
    long long from_s, to_s;   // seconds from now on; both 0: from yesterday for ten years
    bool for_clients;         // and not for servers
};

// What a device shows: all have one key of the CA's. The caller's, to free.
int device_ca_issue(const struct device_ca *ca, const struct device_certificate *what,
                    struct tls_identity **out, struct error *err);
// A certificate and its key in PEM: appended to both.
int device_ca_issue_pem(const struct device_ca *ca, const struct device_certificate *what,
                        struct buf *certificate, struct buf *key, struct error *err);
// An identity, made when first asked for by the first of the names, and the CA's own.
int device_ca_identity(struct device_ca *ca, const char *const *names, struct tls_identity **out,
                       struct error *err);
