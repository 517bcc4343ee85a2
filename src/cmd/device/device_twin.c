#include "cmd/device/device_twin.h"

#include <stdio.h>

static int call_and_print(struct client *c, const struct device_words *w, const char *method,
                          const char *behind, const struct buf *body)
{
    struct json *answer = NULL;
    int code = device_call(c, w, method, w->ids.items[0], behind, body, &answer);

    if (code == EXIT_DONE && answer)
        client_print_json(answer);
    return code;
}

int device_verb_twin(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 1 << 20};
    struct json_writer writer = {.to = &body};

    if (w->desired) {
        if (!client_check_json(c, "--desired", w->desired))
            return EXIT_USAGE;
        json_open(&writer, (slice){0}, '{');
        json_open(&writer, SLICE("properties"), '{');
        json_put_raw(&writer, SLICE("desired"), slice_str(w->desired));
        json_close(&writer, '}');
        json_close(&writer, '}');
    }
    return call_and_print(c, w, w->desired ? "PATCH" : "GET", "/twin", w->desired ? &body : NULL);
}

int device_verb_invoke(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 1 << 20};
    struct json_writer writer = {.to = &body};
    int64_t timeout = 30, connect_timeout = 0;

    if ((w->payload && !client_check_json(c, "--payload", w->payload)) ||
        (w->timeout && !options_number(c->command, "--timeout", w->timeout, 5, 3600, &timeout)) ||
        (w->connect_timeout && !options_number(c->command, "--connect-timeout", w->connect_timeout,
                                               0, 300, &connect_timeout)))
        return EXIT_USAGE;
    json_open(&writer, (slice){0}, '{');
    json_put_text(&writer, SLICE("methodName"), slice_str(w->ids.items[1]));
    if (w->payload)
        json_put_raw(&writer, SLICE("payload"), slice_str(w->payload));
    json_put_int(&writer, SLICE("responseTimeoutInSeconds"), timeout);
    json_put_int(&writer, SLICE("connectTimeoutInSeconds"), connect_timeout);
    json_close(&writer, '}');
    return call_and_print(c, w, "POST", "/methods", &body);
}

int device_verb_send(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 1 << 20};
    struct json_writer writer = {.to = &body};

    json_open(&writer, (slice){0}, '{');
    json_put_text(&writer, SLICE("body"), slice_str(w->ids.items[1]));
    if (w->message_id)
        json_put_text(&writer, SLICE("messageId"), slice_str(w->message_id));
    if (w->ack)
        json_put_text(&writer, SLICE("ack"), slice_str(w->ack));
    if (w->property && !strchr(w->property, '='))
        return command_fail(c->command, EXIT_USAGE, "--property takes KEY=VALUE");
    if (w->property) {
        slice value = slice_str(w->property), key = slice_split(&value, '=');

        json_open(&writer, SLICE("properties"), '{');
        json_put_text(&writer, key, value);
        json_close(&writer, '}');
    }
    json_close(&writer, '}');
    return call_and_print(c, w, "POST", "/messages", &body);
}

int device_verb_purge(struct client *c, const struct device_words *w)
{
    return call_and_print(c, w, "DELETE", "/messages", NULL);
}

int device_verb_feedback(struct client *c, const struct device_words *w)
{
    return call_and_print(c, w, "GET", "/feedback", NULL);
}

int device_verb_module(struct client *c, const struct device_words *w)
{
    struct device_words named = *w;

    named.module = w->ids.items[1];
    return call_and_print(c, &named, "PUT", "", NULL);
}

int device_verb_credentials(struct client *c, const struct device_words *w)
{
    return call_and_print(c, w, "GET", "/credentials", NULL);
}

int device_verb_connection_string(struct client *c, const struct device_words *w)
{
    struct json *answer;
    slice text;
    int code = device_call(c, w, "POST", w->ids.items[0], "/connectionString", NULL, &answer);

    if (code != EXIT_DONE)
        return code;
    if (w->json)
        client_print_json(answer);
    else if (json_get_text(answer, SLICE("connectionString"), &text))
        printf("%.*s\n", SLICE_FMT(text));
    return code;
}
