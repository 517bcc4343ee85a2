/* keys SECONDS: device keys a second that OpenSSL makes and signs for, on one core.
 *
 * For each: a fresh P-256 key and one ECDSA signature with SHA-256 by another, which is what the
 * cryptography of a device certificate comes to; no certificate is written. Prints the count for
 * each second of processor time. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#define SIGNED_LEN 400 /* about what the body of such a certificate measures */

static double processor_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool sign(EVP_MD_CTX *context, EVP_PKEY *key, const unsigned char *body)
{
    unsigned char signature[128];
    size_t len = sizeof signature;

    return EVP_MD_CTX_reset(context) == 1 &&
           EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
           EVP_DigestSign(context, signature, &len, body, SIGNED_LEN) == 1;
}

static bool make_one(EVP_MD_CTX *context, EVP_PKEY *authority, const unsigned char *body)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    bool made = key && sign(context, authority, body);

    EVP_PKEY_free(key);
    return made;
}

/* Negative when OpenSSL said no. */
static double measure(double seconds)
{
    EVP_PKEY *authority = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char body[SIGNED_LEN];
    double began = processor_seconds(), made = 0;

    memset(body, 'b', sizeof body);
    while (authority && context && made >= 0 && processor_seconds() - began < seconds)
        made = make_one(context, authority, body) ? made + 1 : -1;
    made = authority && context ? made : -1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(authority);
    return made < 0 ? -1 : made / (processor_seconds() - began);
}

int main(int argc, char **argv)
{
    double rate;

    if (argc != 2) {
        fprintf(stderr, "usage: keys SECONDS\n");
        return 2;
    }
    rate = measure(strtod(argv[1], NULL));
    if (rate < 0)
        fprintf(stderr, "keys: OpenSSL failed\n");
    else
        printf("%.0f\n", rate);
    return rate < 0;
}
