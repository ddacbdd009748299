# shellcheck shell=bash
# Which Debian packages are missing, and how to get them. Sourced by ./start and ./test; needs bash and apt only.

# One "a | b" line per package, comments and blank lines gone.
siegel_apt_wanted() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' -- "$@"; }

siegel_apt_has() { [[ $(dpkg-query -W -f '${db:Status-Status}' -- "$1" 2>/dev/null) == installed ]]; }

# Of each line with no installed alternative, the first one that the release carries (or the first, before the package
# lists are there).
siegel_apt_missing() {
  local line name choice
  while read -r line; do
    local -a names
    IFS='|' read -r -a names <<<"$line"
    choice=''
    for name in "${names[@]}"; do
      if siegel_apt_has "$name"; then continue 2; fi
    done
    for name in "${names[@]}"; do
      if apt-cache show --no-all-versions -- "$name" >/dev/null 2>&1; then choice=$name && break; fi
    done
    printf '%s\n' "${choice:-${names[0]}}"
  done < <(siegel_apt_wanted "$@")
}

# siegel_apt_get LOG ARGUMENTS…: apt-get as root, or with sudo. Returns 1 if neither is to be had or apt fails.
siegel_apt_get() {
  local log=$1
  shift
  local -a as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || return 1
    as_root=(sudo)
    # Without a terminal sudo could only wait for ever, or fail, at its password prompt.
    [[ -t 0 ]] || as_root+=(-n)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 </dev/null
}

# siegel_apt_unpack LOG PACKAGE DIR: the package's files below DIR, without installing it: for tools whose package would
# start a service. Needs no rights.
siegel_apt_unpack() {
  local log=$1 package=$2 into=$3 fetched
  fetched=$(mktemp -d)
  (cd "$fetched" && apt-get download "$package") >>"$log" 2>&1 && dpkg-deb --extract "$fetched"/*.deb "$into"
  local failed=$?
  rm -rf -- "$fetched"
  return "$failed"
}
