"""The peer of the bench `countries`: the earlier system's smoothing and simplifying by GEOS.

Reads GeoJSON and a number of runs, prints `name milliseconds points` for each country: the
quickest run, from polygons in metres to the simplified shape in degrees; reading and measuring
are left out.
"""

import json
import sys
import time

import pyproj
import shapely
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from shapely.geometry import Polygon, shape
from shapely.ops import transform, unary_union

QUARTER = 4


def parts(geometry):
    return list(getattr(geometry, "geoms", [geometry]))


def buffered(polygons, metres):
    grown = [polygon.buffer(metres, quad_segs=QUARTER) for polygon in polygons]
    return [part for part in parts(unary_union(grown)) if part.area > 1]


def simpler(polygons):
    perimeter = sum(polygon.length for polygon in polygons)
    outward = 500 + perimeter / 1000
    inward = outward - perimeter / 1620 / 2 - 15
    smooth = buffered(buffered(polygons, outward), -inward)
    smooth = [Polygon(polygon.exterior) for polygon in smooth]
    tolerance = sum(polygon.length for polygon in smooth) / 1620
    return [polygon.simplify(tolerance) for polygon in smooth]


def main():
    runs = int(sys.argv[2])
    with open(sys.argv[1], encoding="utf-8") as file:
        features = json.load(file)["features"]
    for feature in features:
        area = shape(feature["geometry"])
        box = AreaOfInterest(*area.bounds)
        zone = query_utm_crs_info(datum_name="WGS 84", area_of_interest=box)[0]
        to_metres = pyproj.Transformer.from_crs(4326, zone.code, always_xy=True).transform
        to_degrees = pyproj.Transformer.from_crs(zone.code, 4326, always_xy=True).transform
        quickest, points = None, 0
        for _ in range(runs):
            start = time.perf_counter()
            metres = transform(to_metres, area)
            polygons = [Polygon(polygon.exterior) for polygon in parts(metres)]
            result = [transform(to_degrees, polygon) for polygon in simpler(polygons)]
            took = (time.perf_counter() - start) * 1e3
            quickest = took if quickest is None else min(quickest, took)
            points = sum(len(polygon.exterior.coords) for polygon in result)
        name = feature["properties"]["ctry19nm"].replace(" ", "_")
        print(name, f"{quickest:.1f}", points, f"shapely-{shapely.__version__}")


main()
