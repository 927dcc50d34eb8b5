# U-Boot runs this (as boot.scr): it starts a slot of the card, and counts how often it starts one that is on trial.
# The layout and the state's form: overlay/usr/lib/archipel/slots.py. Numbers are hexadecimal, 200 a sector's octets.
# Nothing here uses the console but to tell: no key and no noise on a line may stop a start.
if test -z "${fdt_addr}"; then setenv fdt_addr ${fdtcontroladdr}; fi
# the kernel is at most 3f00000 long, the state's sector lies behind it, the initramfs behind that: as on every board of 512 MB
setexpr block ${kernel_addr_r} + 3f00000
setexpr ramdisk ${kernel_addr_r} + 4000000
setenv known
for at in 800 1000; do
  if test -z "${known}"; then
    setenv slot a; setenv trial; setenv tries 0
    if ${devtype} read ${block} ${at} 1; then
      if env import -c ${block} 200 slot trial tries; then setenv known yes; fi
    fi
  fi
done
if test -z "${known}"; then setenv slot a; setenv trial; fi
setenv order "a b"
if test "${slot}" = b; then setenv order "b a"; fi
# a slot on trial starts only when that was counted before: the power may go, or the kernel hang, at any moment
if test -n "${trial}"; then
  if test ${tries} -gt 0; then
    setexpr tries ${tries} - 1
    if env export -c -s 200 ${block} slot trial tries; then
      if ${devtype} write ${block} 800 1; then
        if ${devtype} write ${block} 1000 1; then
          setenv order "a b"
          if test "${trial}" = b; then setenv order "b a"; fi
        fi
      fi
    fi
  fi
fi
# what the Pi's firmware found of the board (and its cmdline.txt), then the slot's own
setenv given
fdt addr ${fdt_addr}
fdt get value given /chosen bootargs
for each in ${order}; do
  echo "Archipel: slot ${each}"
  setenv part 02
  if test ${each} = b; then setenv part 03; fi
  setenv from "${devtype} ${devnum}:${distro_bootpart}"
  if load ${from} ${block} ${each}/cmdline; then
    if env import -t ${block} ${filesize} bootargs; then
      if load ${from} ${kernel_addr_r} ${each}/vmlinuz; then
        if load ${from} ${ramdisk} ${each}/initrd.img; then
          setenv bootargs "${given} ${bootargs} root=PARTUUID=a2c41b70-${part} archipel.slot=${each} archipel.from=${devtype}"
          booti ${kernel_addr_r} ${ramdisk}:${filesize} ${fdt_addr}
        fi
      fi
    fi
  fi
done
# neither slot can be read: perhaps at the next start
sleep 10
reset
