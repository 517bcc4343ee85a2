/* What a backup holds, and its form: a sealed file (crypto/sealed_file.h) of
 *
 *     "muster backup 1\n" | files, each: u8 length of the name | name | u64 size | bytes | u8 0
 *
 * The files are the data folder's own, by the names that it gives them, after "about.json", which
 * says when and by which version the backup was made. The master key is none of them. */
#ifndef MUSTER_CMD_BACKUP_ARCHIVE_H
#define MUSTER_CMD_BACKUP_ARCHIVE_H

#include "cmd/data_folder.h"
#include "crypto/seal.h"

/* Writes the backup of a data folder to an empty file, and syncs it. `about` is the text of
 * about.json. */
CHECKED bool backup_write(const struct data_folder *data, const struct sealer *sealer, slice about,
                          int fd, struct fault *why);

/* Writes the files into `folder`, which is empty, and gives the text of about.json. False: the
 * backup is damaged, or the disk full; `folder` holds some of the files then. */
CHECKED bool backup_unpack(const char *from, const struct sealer *sealer, const char *folder,
                           struct buf *ret_about, struct fault *why);
/* Removes what backup_unpack wrote, and the folder. */
void backup_drop(const char *folder);

#endif
