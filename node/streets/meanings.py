"""What the tags of OpenStreetMap mean for a drawing (wiki.openstreetmap.org/wiki/Map_features)."""

from collections.abc import Mapping

Tags = Mapping[str, str]
STREETS = {
    "motorway": "avenue", "trunk": "avenue", "primary": "avenue", "secondary": "road", "tertiary": "road",
    "residential": "street", "unclassified": "street", "living_street": "street", "pedestrian": "street",
    "road": "street", "service": "alley", "footway": "path", "path": "path", "cycleway": "path", "steps": "path",
    "track": "path", "bridleway": "path",
}
NO_STREETS = {"sidewalk", "crossing", "access_aisle", "traffic_island", "link", "parking_aisle", "driveway",
              "drive-through"}
RAILS = {"rail", "light_rail", "subway", "narrow_gauge", "funicular", "monorail"}
YARDS = {"yard", "siding", "spur", "crossover"}
GREEN = {
    ("leisure", "park"), ("leisure", "garden"), ("leisure", "nature_reserve"), ("leisure", "golf_course"),
    ("leisure", "common"), ("leisure", "dog_park"), ("leisure", "playground"), ("landuse", "forest"), ("landuse", "grass"),
    ("landuse", "meadow"), ("landuse", "orchard"), ("landuse", "vineyard"), ("landuse", "village_green"),
    ("landuse", "recreation_ground"), ("landuse", "cemetery"), ("landuse", "allotments"), ("natural", "wood"),
    ("natural", "scrub"), ("natural", "heath"), ("natural", "grassland"), ("amenity", "grave_yard"),
}
WATER = {("natural", "water"), ("waterway", "riverbank"), ("waterway", "dock"), ("landuse", "reservoir"),
         ("landuse", "basin")}
SQUARES = {("place", "square"), ("highway", "pedestrian"), ("highway", "footway"), ("amenity", "marketplace"),
           ("natural", "beach")}
STREAMS = {"river": "river", "canal": "river", "stream": "stream", "ditch": "stream", "drain": "stream"}
QUARTERS = {"village", "suburb", "quarter", "neighbourhood", "hamlet", "isolated_dwelling"}
LANDMARKS = {  # what people meet at, or find their way by: the lower the sooner
    ("railway", "station"): 0, ("railway", "halt"): 0, ("amenity", "townhall"): 1, ("amenity", "marketplace"): 1,
    ("amenity", "community_centre"): 2, ("amenity", "social_centre"): 2, ("amenity", "library"): 2,
    ("amenity", "theatre"): 3, ("amenity", "place_of_worship"): 3, ("amenity", "school"): 3, ("amenity", "university"): 3,
    ("amenity", "hospital"): 3, ("amenity", "arts_centre"): 3, ("tourism", "museum"): 3, ("amenity", "cinema"): 4,
    ("leisure", "sports_centre"): 4, ("leisure", "stadium"): 4,
}


def line_of(tags: Tags) -> str:
    """Which line it is (`node.board.street_map.KINDS`, or `coast`), "" for none. Nothing below the ground is."""
    if tags.get("natural") == "coastline":
        return "coast"
    if tags.get("tunnel", "no") not in ("no", "building_passage") or tags.get("indoor", "no") != "no":
        return ""
    if tags.get("railway") in RAILS:
        return "" if tags.get("service") in YARDS else "rail"
    if tags.get("area") == "yes":
        return ""
    if NO_STREETS & {tags.get("footway"), tags.get("service"), tags.get("cycleway"), tags.get("path")}:
        return ""
    return STREETS.get(tags.get("highway", "").removesuffix("_link"), "") or STREAMS.get(tags.get("waterway", ""), "")


def area_of(tags: Tags) -> str:
    """Which area it is if it is closed, "" for none."""
    pairs = tags.items()
    if pairs & WATER:
        return "water"
    if pairs & SQUARES and (tags.get("area") == "yes" or tags.get("type") == "multipolygon" or not tags.get("highway")):
        return "square"
    return "green" if pairs & GREEN else ""


def landmark(tags: Tags) -> int | None:
    """How soon its name is written, 0 first; None if it is no landmark."""
    return min((rank for pair, rank in LANDMARKS.items() if tags.get(pair[0]) == pair[1]), default=None)


def is_drawn(tags: Tags) -> bool:
    """Whether there is anything to draw or to write of it."""
    return bool(line_of(tags) or area_of(tags) or landmark(tags) is not None)
