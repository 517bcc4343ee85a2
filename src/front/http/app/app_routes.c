/* What the application's two families answer to, and what permission each wants: what a role
 * means, and what the tests walk. */
#include "front/http/application.h"

static void put_routes(struct json_writer *w, const struct http_family *family, const char *base)
{
    BUF_CLEANUP struct buf path = {.max = 1024};
    const struct http_route *route;

    for (size_t i = 0; (route = http_family_route(family, i)); i++) {
        buf_clear(&path);
        buf_printf(&path, "%s%s", base, route->pattern);
        json_open(w, (slice){0}, '{');
        json_put_text(w, SLICE("method"), slice_str(http_method_name(route->method)));
        json_put_text(w, SLICE("path"), buf_slice(&path));
        if (route->permission != ROUTE_OPEN)
            json_put_text(w, SLICE("permission"), slice_str(permission_name(route->permission)));
        json_close(w, '}');
    }
}

void app_routes_list(struct exchange *x)
{
    BUF_CLEANUP struct buf body = {.max = APP_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    json_open(&w, (slice){0}, '{');
    json_open(&w, SLICE("value"), '[');
    put_routes(&w, &rest_family, "/api/");
    put_routes(&w, &application_family, "/api/muster/v1/");
    json_close(&w, ']');
    json_close(&w, '}');
    app_answer_object(x, &body);
}
