#!/bin/sh
# Install this folder for the current user, or remove it again:  ./install.sh [--uninstall]
# Nothing outside the home folder is touched and no root is needed. To run it without installing, start
# ./trading-monitor; a file named "portable" beside it keeps settings, history and logs in this folder too.
set -eu
id=@APP_ID@
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
target=$HOME/.local/opt/trading-monitor
command=$HOME/.local/bin/trading-monitor

if [ "${1:-}" = --uninstall ]; then
    rm -rf "$target"
    rm -f "$command" "$data/applications/$id.desktop" "$data/metainfo/$id.metainfo.xml"
    rm -f "$data"/icons/hicolor/*/apps/"$id".png "$data/icons/hicolor/scalable/apps/$id.svg"
    config=${XDG_CONFIG_HOME:-$HOME/.config} state=${XDG_STATE_HOME:-$HOME/.local/state} cache=${XDG_CACHE_HOME:-$HOME/.cache}
    # printf, as some shells' echo changes backslashes.
    printf '%s\n' "Removed. Your own data stays in these folders, and keys of accounts in your keyring:" \
        "$config/trading-monitor" "$data/trading-monitor" "$state/trading-monitor" "$cache/trading-monitor"
    exit 0
fi
if [ $# -ne 0 ]; then
    echo "usage: $0 [--uninstall]" >&2
    exit 2
fi
if [ "$here" = "$target" ]; then
    echo "It is installed already." >&2
    exit 0
fi
mkdir -p "$(dirname "$target")" "$(dirname "$command")" "$data/applications" "$data/metainfo"
rm -rf "$target.new"
cp -R "$here" "$target.new"
rm -rf "$target"
mv "$target.new" "$target"
ln -sf "$target/trading-monitor" "$command"
# A desktop looks for programs on its own path, which need not hold ~/.local/bin. Quoted as the Desktop Entry
# Specification wants it, which takes backslashes away twice: for home folders with spaces and worse.
quoted=$(printf '%s' "$target/trading-monitor" | sed 's/\\/\\\\\\\\/g; s/["`$]/\\\\&/g; s/%/%%/g')
LINE="Exec=\"$quoted\"" awk '/^Exec=/ { print ENVIRON["LINE"]; next } { print }' \
    "$here/share/applications/$id.desktop" > "$data/applications/$id.desktop"
cp "$here/share/metainfo/$id.metainfo.xml" "$data/metainfo/"
(cd "$here/share/icons" && find . -type f) | while read -r icon; do
    mkdir -p "$data/icons/$(dirname "$icon")"
    cp "$here/share/icons/$icon" "$data/icons/$icon"
done
if command -v update-desktop-database >/dev/null 2>&1; then update-desktop-database -q "$data/applications" || true; fi
printf '%s\n' "Installed: Trading Monitor is in your desktop's menu, and as $command."
