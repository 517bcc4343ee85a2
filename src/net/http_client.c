#include "net/http_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include <curl/curl.h>

#include "net/egress.h"

#define CONNECT_TIMEOUT_S 5L
#define ANSWER_MAX (64 * 1024 * 1024)
#define HEADERS_MAX (64 * 1024)
#define RETRY_MS 250L

/* curl_global_init is not safe in threads; the first call of any thread does it for all. */
static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct transfer {
    CURL *curl;
    struct curl_slist *route; /* CURLOPT_CONNECT_TO */
    const struct http_call *call;
    struct http_answer *answer;
    size_t headers_len;
    bool ended;           /* by on_part */
    struct fault refusal; /* of an address, by the egress rules */
};

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    slice part = slice_of(bytes, size * count);
    long status = 0;

    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    if (t->call->on_part && status < 300) {
        t->ended = !t->call->on_part(t->call->context, part);
        return t->ended ? CURL_WRITEFUNC_ERROR : part.len;
    }
    buf_append(&t->answer->body, part);
    return t->answer->body.failed ? CURL_WRITEFUNC_ERROR : part.len;
}

/* libcurl reads interim answers and their headers without end. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *t = context;

    (void)bytes;
    t->headers_len += size * count;
    return t->headers_len > HEADERS_MAX ? 0 : size * count;
}

/* Called with each address that the resolver gave, before it is dialled. */
static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = context;
    union address to = {0};

    (void)purpose;
    if (address->addrlen > sizeof to)
        return CURL_SOCKET_BAD;
    memcpy(&to, &address->addr, address->addrlen);
    if (!egress_allows(t->call->egress, &to, &t->refusal))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool add_header(struct curl_slist **headers, const char *name, const char *value)
{
    char line[8192];
    struct curl_slist *grown;
    int len = snprintf(line, sizeof line, "%s: %s", name, value);

    if (len < 0 || (size_t)len >= sizeof line)
        return false;
    grown = curl_slist_append(*headers, line);
    if (!grown)
        return false;
    *headers = grown;
    return true;
}

static bool add_headers(const struct http_call *call, struct curl_slist **headers)
{
    if (call->authorization && !add_header(headers, "Authorization", call->authorization))
        return false;
    if (call->accept && !add_header(headers, "Accept", call->accept))
        return false;
    if (call->only_new && !add_header(headers, "If-None-Match", "*"))
        return false;
    if (call->body.ptr && !add_header(headers, "Expect", "")) /* no waiting for "100 Continue" */
        return false;
    return !call->body.ptr ||
           add_header(headers, "Content-Type",
                      call->content_type ? call->content_type : "application/json");
}

/* Verified TLS to the named host and nothing else: no redirects, no proxy of the environment. */
static bool set_security(CURL *curl, const struct http_call *call)
{
    const char *protocols = call->may_be_plain ? "http,https" : "https";

    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           (!call->ca_file || (curl_easy_setopt(curl, CURLOPT_CAINFO, call->ca_file) == CURLE_OK &&
                               curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK));
}

static bool set_request(CURL *curl, const struct http_call *call, struct curl_slist *headers)
{
    if (curl_easy_setopt(curl, CURLOPT_URL, call->url) != CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) != CURLE_OK)
        return false;
    if (strcmp(call->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (call->body.ptr &&
        (curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len) ||
         curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.ptr)))
        return false;
    return curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method) == CURLE_OK;
}

/* The name in the URL is still the one that the certificate must bear. */
static bool set_route(CURL *curl, struct transfer *t)
{
    char entry[300];

    if (!t->call->connect_to)
        return true;
    snprintf(entry, sizeof entry, "::%s", t->call->connect_to);
    t->route = curl_slist_append(NULL, entry);
    return t->route && curl_easy_setopt(curl, CURLOPT_CONNECT_TO, t->route) == CURLE_OK;
}

static bool set_egress(CURL *curl, struct transfer *t)
{
    return !t->call->egress ||
           (curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, t) == CURLE_OK);
}

static bool set_transfer(CURL *curl, struct transfer *t, char *error)
{
    return set_route(curl, t) && set_egress(curl, t) &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT, t->call->timeout_s) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERDATA, t) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, t) == CURLE_OK;
}

/* Not dialled at all is said rather than "could not connect". */
static enum status fail(const struct transfer *t, const char *cause, CURLcode result,
                        struct fault *why)
{
    if (result == CURLE_COULDNT_CONNECT && t->refusal.text[0])
        cause = t->refusal.text;
    return fault_set(why, ST_UNAVAILABLE, "%.100s: %s", t->call->url, cause);
}

/* Whether the same call may be made once more: nothing has been answered, and it asks only, or the
 * server has not seen it (a limit of its own closes a new connection before TLS is up). */
static bool may_retry(const struct transfer *t, CURLcode result)
{
    if (t->headers_len > 0)
        return false;
    switch (result) {
    case CURLE_SSL_CONNECT_ERROR:
        return true;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return strcmp(t->call->method, "GET") == 0;
    default:
        return false;
    }
}

static CURLcode perform_with_retries(CURL *curl, struct transfer *t)
{
    struct timespec pause = {.tv_nsec = RETRY_MS * 1000000};

    for (unsigned left = t->call->retries;; left--) {
        CURLcode result = curl_easy_perform(curl);

        if (result == CURLE_OK || left == 0 || !may_retry(t, result))
            return result;
        nanosleep(&pause, NULL);
        pause.tv_nsec *= 2;
        pause.tv_sec = pause.tv_sec * 2 + pause.tv_nsec / 1000000000;
        pause.tv_nsec %= 1000000000;
    }
}

static enum status perform(CURL *curl, struct transfer *t, struct curl_slist *headers,
                           struct fault *why)
{
    char error[CURL_ERROR_SIZE] = "";
    long status = 0;
    CURLcode result;

    if (!set_security(curl, t->call) || !set_request(curl, t->call, headers) ||
        !set_transfer(curl, t, error))
        return fault_set(why, ST_INTERNAL, "the http client cannot be set up");
    result = perform_with_retries(curl, t);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    t->answer->status = (int)status;
    if (t->answer->body.failed || t->headers_len > HEADERS_MAX)
        return fault_set(why, ST_UNAVAILABLE, "%.100s: the answer is too long", t->call->url);
    if (result == CURLE_OK || t->ended)
        return ST_OK;
    return fail(t, error[0] ? error : curl_easy_strerror(result), result, why);
}

struct http_client {
    CURL *curl;
};

struct http_client *http_client_create(void)
{
    static pthread_once_t started = PTHREAD_ONCE_INIT;
    struct http_client *client = calloc(1, sizeof *client);

    pthread_once(&started, curl_start);
    if (client)
        client->curl = curl_easy_init();
    if (client && client->curl)
        return client;
    free(client);
    return NULL;
}

void http_client_destroy(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

enum status http_client_call(struct http_client *client, const struct http_call *call,
                             struct http_answer *ret, struct fault *why)
{
    struct http_answer answer = {0};
    struct transfer transfer = {.curl = client->curl, .call = call, .answer = &answer};
    struct curl_slist *headers = NULL;
    enum status status;

    buf_init(&answer.body, call->answer_max ? call->answer_max : ANSWER_MAX);
    if (add_headers(call, &headers))
        status = perform(client->curl, &transfer, headers, why);
    else
        status = fault_set(why, ST_NO_MEMORY, "no memory for an http call");
    curl_easy_reset(client->curl); /* what was borrowed is gone, the connection stays */
    curl_slist_free_all(headers);
    curl_slist_free_all(transfer.route);
    if (status != ST_OK) {
        buf_deinit(&answer.body);
        return status;
    }
    *ret = answer;
    return ST_OK;
}

enum status http_call(const struct http_call *call, struct http_answer *ret, struct fault *why)
{
    struct http_client *client = http_client_create();
    enum status status;

    if (!client)
        return fault_set(why, ST_NO_MEMORY, "no memory for an http call");
    status = http_client_call(client, call, ret, why);
    http_client_destroy(client);
    return status;
}
