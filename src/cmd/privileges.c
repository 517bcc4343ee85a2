#include "cmd/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TREE_DEPTH_MAX 16

static bool set_capabilities(uint32_t capabilities)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = capabilities, .permitted = capabilities}};

    return syscall(SYS_capset, &header, data) == 0;
}

/* The account to become. The default one may be missing on a machine that only tries Muster. */
static const struct passwd *find_account(const char *user)
{
    const struct passwd *account = getpwnam(user);

    return account || strcmp(user, "muster") != 0 ? account : getpwnam("nobody");
}

/* nftw has no context: the owner to give is kept here for the length of one walk, before any
 * thread exists. */
static uid_t owner_uid;
static gid_t owner_gid;

static int give_one(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)kind;
    (void)walk;
    if (S_ISREG(about->st_mode) && about->st_nlink > 1)
        return 0; /* it has another name, which may lie elsewhere */
    return lchown(path, owner_uid, owner_gid);
}

/* Once: what the account owns already may hold its links to elsewhere, so root goes through it no
 * more. The folder itself changes hands last. */
static bool give_folder(const char *folder, const struct passwd *account)
{
    struct stat about;

    if (stat(folder, &about) == 0 && about.st_uid == account->pw_uid)
        return true;
    owner_uid = account->pw_uid;
    owner_gid = account->pw_gid;
    return nftw(folder, give_one, TREE_DEPTH_MAX, FTW_PHYS | FTW_MOUNT | FTW_DEPTH) == 0;
}

static bool become(const struct passwd *account)
{
    return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && setgroups(0, NULL) == 0 &&
           setresgid(account->pw_gid, account->pw_gid, account->pw_gid) == 0 &&
           setresuid(account->pw_uid, account->pw_uid, account->pw_uid) == 0 &&
           set_capabilities(1u << CAP_NET_BIND_SERVICE) && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == 0;
}

static bool drop_root(const char *user, const char *folder, struct fault *why)
{
    const struct passwd *account = find_account(user);

    if (!account || account->pw_uid == 0) {
        fault_set(why, ST_BAD_REQUEST,
                  "started by root, and there is no unprivileged user '%s': give one with --user",
                  user);
        return false;
    }
    if (!give_folder(folder, account) || !become(account)) {
        fault_set(why, ST_FORBIDDEN, "cannot become user '%s': %s", account->pw_name,
                  strerror(errno));
        return false;
    }
    if (access(folder, R_OK | W_OK | X_OK) != 0) {
        fault_set(why, ST_FORBIDDEN,
                  "user '%s' cannot reach %s: choose a folder outside root's own, as "
                  "/var/lib/muster",
                  account->pw_name, folder);
        return false;
    }
    return true;
}

bool privileges_drop(const char *user, const char *folder, struct fault *why)
{
    umask(077);
    if (geteuid() == 0 && !drop_root(user, folder, why))
        return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        fault_set(why, ST_INTERNAL, "prctl: %s", strerror(errno));
        return false;
    }
    return true;
}

bool privileges_act_as_owner(const char *path, struct fault *why)
{
    struct stat about;

    if (geteuid() != 0)
        return true;
    if (stat(path, &about) == 0 && setegid(about.st_gid) == 0 && seteuid(about.st_uid) == 0)
        return true;
    fault_set(why, ST_FORBIDDEN, "cannot act as the owner of %s: %s", path, strerror(errno));
    return false;
}

void privileges_act_as_root(void)
{
    if (getuid() == 0 && (seteuid(0) != 0 || setegid(0) != 0))
        abort(); /* what was allowed at the start is allowed still */
}

void privileges_drop_binding(void)
{
    if (!set_capabilities(0))
        abort(); /* capset cannot fail to lessen our own rights */
}

uint64_t privileges_raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    return limit.rlim_cur;
}
