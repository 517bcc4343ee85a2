#include "provisioning/authority_view.h"

#define ENDS_SOON_MS (90LL * 24 * 3600 * 1000)

const char *authority_state_name(enum authority_state state)
{
    static const char *const names[] = {
        [AUTHORITY_EMPTY] = "empty",
        [AUTHORITY_UNVERIFIED] = "unverified",
        [AUTHORITY_CODE_ISSUED] = "codeIssued",
        [AUTHORITY_VERIFIED] = "verified",
        [AUTHORITY_EXPIRING] = "expiring",
        [AUTHORITY_EXPIRED] = "expired",
    };

    return (unsigned)state < COUNT_OF(names) ? names[state] : "unknown";
}

enum authority_state authority_state_of(const struct authority_row *row,
                                        const struct certificate_facts *facts, instant now)
{
    if (!row)
        return AUTHORITY_EMPTY;
    if (facts->not_after < now)
        return AUTHORITY_EXPIRED;
    if (row->verified_at != 0)
        return facts->not_after - now < AUTHORITY_EXPIRING_MS ? AUTHORITY_EXPIRING
                                                              : AUTHORITY_VERIFIED;
    return row->code.len > 0 && now - row->code_at <= VERIFICATION_CODE_LIFE_MS
               ? AUTHORITY_CODE_ISSUED
               : AUTHORITY_UNVERIFIED;
}

static const char *warning_of(const struct authority_row *row, const struct authority_row *other,
                              const struct certificate_facts *facts, instant now)
{
    if (other && slice_equal(row->thumbprint, other->thumbprint))
        return "the same certificate is in the other slot";
    if (facts->not_after < now)
        return "expired: no device registers through it any more";
    if (facts->not_after - now < ENDS_SOON_MS)
        return "expires within 90 days";
    if (!facts->signs_others)
        return "its key usage does not say that it may sign certificates";
    return NULL;
}

static enum status read_facts(const struct authority_row *row, struct arena *arena,
                              struct certificate_facts *ret, struct fault *why)
{
    struct x509_st *certificate = certificate_from_der(row->certificate);
    enum status status = ST_INTERNAL;

    if (certificate)
        status = certificate_facts_read(certificate, arena, ret, why);
    certificate_free(certificate);
    return status == ST_BAD_REQUEST || status == ST_INTERNAL
               ? fault_set(why, ST_INTERNAL, "the stored certificate cannot be read")
               : status;
}

enum status authority_views(const struct authority_row *const slots[AUTHORITY_SLOTS], instant now,
                            struct arena *arena, struct authority_view ret[AUTHORITY_SLOTS],
                            struct fault *why)
{
    struct certificate_facts *facts = arena_alloc_array(arena, AUTHORITY_SLOTS, sizeof *facts);

    for (size_t i = 0; facts && i < AUTHORITY_SLOTS; i++) {
        const struct authority_row *row = slots[i];
        enum status status = row ? read_facts(row, arena, &facts[i], why) : ST_OK;

        if (status != ST_OK)
            return status;
        ret[i] = (struct authority_view){
            .slot = (enum authority_slot)(AUTHORITY_PRIMARY + i),
            .state = authority_state_of(row, &facts[i], now),
            .row = row,
            .facts = row ? &facts[i] : NULL,
            .warning = row ? warning_of(row, slots[1 - i], &facts[i], now) : NULL,
        };
    }
    return facts ? ST_OK : fault_set(why, ST_NO_MEMORY, "no memory for a certificate");
}
