"""How the SD card image of Archipel is built and tried in QEMU; what is put on it lies in the folders beside it."""
