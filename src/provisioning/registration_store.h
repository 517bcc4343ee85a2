/* Registration records: where a device was sent, and its last operations. */
#ifndef MUSTER_PROVISIONING_REGISTRATION_STORE_H
#define MUSTER_PROVISIONING_REGISTRATION_STORE_H

#include "base/arena.h"
#include "provisioning/enrollment_store.h"
#include "provisioning/provisioning.h"

struct registration_record {
    slice id; /* registration ID, in its first spelling */
    slice device_id;
    slice hub;       /* name; empty: never assigned */
    slice substatus; /* of the last assignment */
    enum enrollment_kind enrollment_kind;
    slice enrollment_id; /* the entry that decided last */
    bool by_certificate; /* so that entry attests */
    enum registration_state state;
    int error_code; /* with REG_FAILED */
    slice operation_id, previous_operation_id;
    bool told;          /* the operation's outcome was given to the device */
    instant created_at; /* of the assignment */
    instant updated_at;
    int64_t version; /* the ETag */
};

/* What one read tells of a registration ID. Slices borrow from the row. */
struct registration_facts {
    int64_t set_version; /* of the enrollment groups */
    bool has_individual, has_record;
    struct enrollment_row individual;
    struct registration_record record;
};

typedef void registration_facts_fn(void *context, enum status status,
                                   struct registration_facts *facts);
/* `key` is the lower-case registration ID. The callback's context must outlive the read. */
struct registration_read {
    registration_facts_fn *on_facts;
    void *context;
};
/* `read` lives until its callback. */
void registration_read(struct store *st, slice key, struct registration_read *read);

struct registration_record *registration_record_copy(struct arena *arena,
                                                     const struct registration_record *r);

/* Stores the record, whatever was there: the device's guard in the same unit says that nothing
 * came between. */
void registration_unit_put(struct unit *unit, const struct registration_record *r);
/* The operation's outcome is told. */
void registration_unit_told(struct unit *unit, const struct registration_record *r);

#endif
